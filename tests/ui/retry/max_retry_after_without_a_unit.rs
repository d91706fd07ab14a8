use resilient_runtime::retry;

#[retry(max_retry_after = 30)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
