use resilient_runtime::retry;

#[retry(when = |error| path.is_empty() || error.kind() == std::io::ErrorKind::TimedOut)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
