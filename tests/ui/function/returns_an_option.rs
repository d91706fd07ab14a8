use resilient_runtime::retry;

#[retry]
async fn load(path: &str) -> Option<String> {
    tokio::fs::read_to_string(path).await.ok()
}

fn main() {}
