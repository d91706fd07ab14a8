use resilient_runtime::fallback;

fn cached(_path: &str) -> Result<String, String> {
    Ok(String::new())
}

#[fallback(fn = cached)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
