use resilient_runtime::retry;
use std::time::Duration;

const BASE: Duration = Duration::from_secs(100_000);

#[retry(base = BASE)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
