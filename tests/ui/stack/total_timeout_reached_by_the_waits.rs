use resilient_runtime::{retry, timeout};

#[timeout("3s")]
#[retry(max = 3, base = "1s", jitter = "none")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[timeout("2s")]
#[retry(max = 3, base = "2s", jitter = "equal", backoff = "fixed")]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[timeout("3s")]
#[retry(max = 4, base = "1s", jitter = "decorrelated")]
async fn fetch(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
