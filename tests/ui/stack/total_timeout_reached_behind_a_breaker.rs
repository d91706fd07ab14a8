use resilient_runtime::{circuit_breaker, retry, timeout};

#[timeout("1s")]
#[circuit_breaker(name = "disk")]
#[retry(base = "1s", jitter = "none")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
