use resilient_runtime::fallback;

async fn cached(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(fn = cached, skip_on = is_missing)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(fn = cached, except = is_missing)]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
