use resilient_runtime::retry;

#[retry(backoff = exponential)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
