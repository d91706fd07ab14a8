use resilient_runtime::retry;

#[retry(strategy = "fixed")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
