use resilient_runtime::fallback;

#[fallback(value = err.to_string())]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(value = format!("no page: {err}"))]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
