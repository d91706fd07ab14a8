// The same error as without the attributes.
use resilient_runtime::{retry, timeout};

#[retry]
#[timeout("1s")]
async fn size(path: &str) -> std::io::Result<u64> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
