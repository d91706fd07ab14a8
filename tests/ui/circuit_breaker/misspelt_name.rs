use resilient_runtime::circuit_breaker;

#[circuit_breaker(nam = "disk")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
