use resilient_runtime::retry;

#[retry(base = "soon")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[retry(base = "PT5S")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[retry(base = "00:05")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
