use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 0.5, window = 1_000_000)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
