use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", reset_timeout = "2m", reset_factor = 2.0, max_reset_timeout = "1m")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[circuit_breaker(name = "disk", reset_timeout = "10m", reset_factor = 2.0)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
