use resilient_runtime::{retry, timeout};

#[timeout("5s")]
#[retry]
#[timeout("10s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
