use resilient_runtime::retry;

#[retry(factor = 1e999)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
