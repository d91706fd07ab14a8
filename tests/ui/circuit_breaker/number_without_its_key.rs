use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", 5)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
