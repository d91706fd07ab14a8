use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 0.5, window = 2.5)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
