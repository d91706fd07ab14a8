use resilient_runtime::retry;

#[retry(max = 2 + 1)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
