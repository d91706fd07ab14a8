use resilient_runtime::timeout;

#[timeout("99999999999999999999s")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
