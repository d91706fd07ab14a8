use resilient_runtime::{circuit_breaker, timeout};

#[timeout("5s")]
#[timeout("1s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[timeout("1s")]
#[circuit_breaker(name = "disk")]
#[timeout("5s")]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
