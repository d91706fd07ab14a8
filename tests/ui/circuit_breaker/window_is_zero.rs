use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 0.5, window = 0)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[circuit_breaker(name = "disk", failure_rate = 0.5, window = "0s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
