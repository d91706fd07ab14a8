use resilient_runtime::retry;

#[retry(retry_on_result = String::is_empty)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
