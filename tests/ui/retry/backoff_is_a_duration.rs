use resilient_runtime::retry;

#[retry(backoff = "100ms")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
