use resilient_runtime::fallback;

async fn cached(_path: &str, _version: u32) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(fn = cached)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
