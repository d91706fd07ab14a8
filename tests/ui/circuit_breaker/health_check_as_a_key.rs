use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "payments", health_check = "database", readiness = fail)]
async fn pay() -> Result<(), String> {
    Ok(())
}

fn main() {}
