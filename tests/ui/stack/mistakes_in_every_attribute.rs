use resilient_runtime::{circuit_breaker, fallback, retry, timeout};

async fn cached(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(fn = cached, value = String::new())]
#[retry(attempts = 3)]
#[circuit_breaker(failure_rate = 50)]
#[timeout(2)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
