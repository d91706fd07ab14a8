use resilient_runtime::retry;

#[retry(base = "5s", max_delay = "2s")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
