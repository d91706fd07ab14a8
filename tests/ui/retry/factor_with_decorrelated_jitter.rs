use resilient_runtime::retry;

#[retry(jitter = "decorrelated", factor = 3.0)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[retry(jitter = "decorrelated", backoff = "linear")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
