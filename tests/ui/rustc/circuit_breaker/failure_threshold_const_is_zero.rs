use resilient_runtime::circuit_breaker;

const FAILURES: u32 = 0;

#[circuit_breaker(name = "disk", failure_threshold = FAILURES)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
