use resilient_runtime::{circuit_breaker, fallback, retry};

async fn cached(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[retry]
#[fallback(fn = cached)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry]
#[circuit_breaker(name = "disk")]
#[fallback(value = String::new())]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
