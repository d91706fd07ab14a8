use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 0.5, min_calls = 200)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
