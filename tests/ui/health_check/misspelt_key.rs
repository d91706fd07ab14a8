use resilient_runtime::health_check;

#[health_check(name = "database", critcal, intervall = "10s")]
async fn database() -> Result<(), String> {
    Ok(())
}

fn main() {}
