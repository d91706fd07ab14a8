use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 50)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[circuit_breaker(name = "disk", failure_rate = "50%")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[circuit_breaker(name = "disk", failure_rate = "50 %")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
