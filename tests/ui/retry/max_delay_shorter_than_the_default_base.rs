use resilient_runtime::retry;

#[retry(max_delay = "50ms")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
