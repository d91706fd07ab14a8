use resilient_runtime::{retry, timeout};

#[retry]
#[timeout("5s")]
#[timeout("1s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
