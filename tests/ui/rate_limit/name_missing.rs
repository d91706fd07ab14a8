use resilient_runtime::rate_limit;

#[rate_limit]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(rate = "10/s")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
