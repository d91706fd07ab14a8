use resilient_runtime::circuit_breaker;

const RATE: f64 = 50.0;

#[circuit_breaker(name = "disk", failure_rate = RATE)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
