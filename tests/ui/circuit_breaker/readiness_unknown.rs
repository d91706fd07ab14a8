use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "payments", readiness = "failing", health = "")]
async fn pay() -> Result<(), String> {
    Ok(())
}

fn main() {}
