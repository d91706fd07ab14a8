use resilient_runtime::{coalesce, fallback, hedge, resilient};

#[resilient("files")]
#[fallback(value = String::new())]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[hedge(after = "1s")]
#[resilient("files")]
async fn size(path: &str) -> std::io::Result<u64> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[hedge(after = "1s")]
#[coalesce(key = path)]
#[resilient("files")]
async fn peek(path: &str) -> std::io::Result<u64> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
