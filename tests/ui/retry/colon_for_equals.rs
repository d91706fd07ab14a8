use resilient_runtime::retry;

#[retry(max: 3, on_retry: |_, _, _| {})]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
