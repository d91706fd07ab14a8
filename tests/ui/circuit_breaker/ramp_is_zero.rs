use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", ramp = "0s")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
