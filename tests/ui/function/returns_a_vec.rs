use resilient_runtime::retry;

#[retry]
async fn load(path: &str) -> Vec<u8> {
    tokio::fs::read(path).await.unwrap_or_default()
}

fn main() {}
