use resilient_runtime::retry;

#[retry(when = "is_busy")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
