use resilient_runtime::circuit_breaker;
use std::time::Duration;

const WINDOW: Duration = Duration::from_secs(10);

#[circuit_breaker(name = "disk", failure_rate = 0.5, window = WINDOW)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
