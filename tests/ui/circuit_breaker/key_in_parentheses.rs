use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", key(path))]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
