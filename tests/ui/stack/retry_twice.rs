use resilient_runtime::{retry, timeout};

#[retry(max = 5)]
#[retry(max = 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry]
#[timeout("1s")]
#[retry]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
