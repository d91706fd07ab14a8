use resilient_runtime::{retry, timeout};

#[timeout("1m")]
#[timeout("30s")]
#[retry]
#[timeout("1s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
