use resilient_runtime::fallback;

#[fallback(fn = |_path| Ok(String::new()))]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
