use resilient_runtime::timeout;
use std::time::Duration;

const LIMIT: Duration = Duration::ZERO;

#[timeout(LIMIT)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
