use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", key = path, max_keys = 0)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
