use resilient_runtime::{fallback, retry};

#[retry]
#[fallback(value = String::new(), when = |error| error.to_string() == path)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry]
#[fallback(value = String::new(), wen = |_| true)]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
