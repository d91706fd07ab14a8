use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 0.5, minimum_throughput = 10)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[circuit_breaker(name = "disk", failure_rate = 0.5, minimum_number_of_calls = 10)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
