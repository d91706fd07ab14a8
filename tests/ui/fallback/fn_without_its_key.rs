use resilient_runtime::fallback;

async fn stored(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(stored)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(stored(path))]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
