use resilient_runtime::{circuit_breaker, retry, timeout};

#[derive(Debug)]
struct DiskError;

#[timeout("10s")]
#[retry]
#[circuit_breaker(name = "disk")]
#[timeout("1s")]
async fn load(path: &str) -> Result<String, DiskError> {
    tokio::fs::read_to_string(path).await.map_err(|_| DiskError)
}

fn main() {}
