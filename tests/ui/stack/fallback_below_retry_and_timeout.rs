use resilient_runtime::{fallback, retry, timeout};

async fn cached(_path: &str) -> std::io::Result<String> {
    Ok(String::new())
}

#[timeout("10s")]
#[retry]
#[timeout("1s")]
#[fallback(fn = cached)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
