use resilient_runtime::retry;

#[retry(base = "1s 1s")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
