use resilient_runtime::retry;
use std::sync::atomic::AtomicU32;

static ATTEMPTS: AtomicU32 = AtomicU32::new(4);

#[retry(max = ATTEMPTS)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
