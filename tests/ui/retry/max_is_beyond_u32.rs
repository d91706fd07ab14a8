use resilient_runtime::retry;

#[retry(max = 5_000_000_000)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
