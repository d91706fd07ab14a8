use resilient_runtime::retry;

#[retry(max == 3, "base" = "1s")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
