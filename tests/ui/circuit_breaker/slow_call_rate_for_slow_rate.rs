use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", slow_call = "1s", slow_call_rate_threshold = 50)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
