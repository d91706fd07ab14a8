use resilient_runtime::timeout;
use std::time::Duration;

#[timeout(limit)]
async fn load(path: &str, limit: Duration) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
