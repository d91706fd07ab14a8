use resilient_runtime::{retry, timeout};

#[timeout("1s")]
#[retry(max = 10, jitter = "none")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
