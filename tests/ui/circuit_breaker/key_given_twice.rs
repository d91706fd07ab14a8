use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_threshold = 3, failure_threshold = 4)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
