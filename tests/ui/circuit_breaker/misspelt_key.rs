use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", falure_threshold = 3)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[circuit_breaker(name = "disk", reset_timout = "10s")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[circuit_breaker(name = "disk", half_open_call = 2)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
