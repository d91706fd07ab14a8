use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = 10)]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/")]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/60")]
async fn list(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
