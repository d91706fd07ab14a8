use resilient_runtime::timeout;

#[timeout(std::time::Duration::from_secs(2))]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
