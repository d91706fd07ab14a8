use resilient_runtime::timeout;

#[timeout("1s")]
async fn load(path: &str) -> String {
    tokio::fs::read_to_string(path).await.unwrap_or_default()
}

fn main() {}
