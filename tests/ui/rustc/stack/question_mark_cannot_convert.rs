// The same error as without the attributes.
use resilient_runtime::{retry, timeout};

#[retry]
#[timeout("1s")]
async fn number(path: &str) -> std::io::Result<u64> {
    let text = tokio::fs::read_to_string(path).await?;
    Ok(text.parse::<u64>()?)
}

fn main() {}
