use resilient_runtime::{circuit_breaker, retry, timeout};

#[timeout("5s")]
#[retry]
#[circuit_breaker(name = "disk")]
#[timeout("5000ms")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
