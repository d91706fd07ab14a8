use resilient_runtime::retry;

#[retry(base = "100MS")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[retry(base = "2S")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
