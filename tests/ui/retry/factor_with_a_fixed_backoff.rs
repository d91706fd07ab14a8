use resilient_runtime::retry;

#[retry(backoff = "fixed", factor = 3.0)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
