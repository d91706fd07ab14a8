use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "fast")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "ten/s")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10 per second")]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "")]
async fn list(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "1/s/s")]
async fn copy(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = 0.5)]
async fn rename(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
