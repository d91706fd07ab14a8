use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_threshold = 5, failure_rate = 0.5, window = 100, min_calls = 20)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
