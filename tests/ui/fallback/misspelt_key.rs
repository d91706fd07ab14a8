use resilient_runtime::fallback;

async fn cached(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(fun = cached)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(valeu = String::new())]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(fn = cached, wen = is_missing)]
async fn fetch(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
