use resilient_runtime::health_check;

#[health_check(name = "database", critical("yes"), name = "other")]
async fn database() -> Result<(), String> {
    Ok(())
}

fn main() {}
