use resilient_runtime::health_check;

struct Database;

impl Database {
    #[health_check(name = "database")]
    async fn ping() -> Result<(), String> {
        Ok(())
    }
}

fn main() {}
