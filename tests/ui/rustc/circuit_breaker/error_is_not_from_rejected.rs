use resilient_runtime::circuit_breaker;

#[derive(Debug)]
struct DiskError;

#[circuit_breaker(name = "disk")]
async fn load(path: &str) -> Result<String, DiskError> {
    tokio::fs::read_to_string(path).await.map_err(|_| DiskError)
}

fn main() {}
