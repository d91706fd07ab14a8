use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/sec")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/min")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/S")]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/parsec")]
async fn list(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/week")]
async fn copy(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/month")]
async fn rename(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/5secs")]
async fn touch(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
