use resilient_runtime::{retry, timeout};

#[retry(max = 1)]
#[timeout("1s")]
#[retry]
async fn load(path: &str) -> Option<String> {
    tokio::fs::read_to_string(path).await.ok()
}

fn main() {}
