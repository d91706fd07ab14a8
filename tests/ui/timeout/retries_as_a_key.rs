use resilient_runtime::timeout;

#[timeout("2s", retries = 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
