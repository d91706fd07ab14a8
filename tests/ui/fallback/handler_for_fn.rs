use resilient_runtime::fallback;

async fn cached(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(handler = cached)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(function = cached)]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(with = cached)]
async fn fetch(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[fallback(method = cached)]
async fn read(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
