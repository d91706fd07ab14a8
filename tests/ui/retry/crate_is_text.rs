use resilient_runtime::retry;

#[retry(crate = "resilient_runtime")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
