use resilient_runtime::circuit_breaker;

#[circuit_breaker]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[circuit_breaker(failure_threshold = 3)]
async fn size(path: &str) -> std::io::Result<u64> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[circuit_breaker()]
async fn discard(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_file(path).await
}

fn main() {}
