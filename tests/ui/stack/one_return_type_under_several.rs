use resilient_runtime::{circuit_breaker, retry, timeout};

#[retry]
#[circuit_breaker(name = "disk")]
#[timeout("1s")]
async fn load(path: &str) -> Option<String> {
    tokio::fs::read_to_string(path).await.ok()
}

fn main() {}
