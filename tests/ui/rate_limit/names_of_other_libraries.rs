use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rps = 10)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", limit = 10, period = "1s")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/s", capacity = 10)]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/s", timeout = "1s")]
async fn list(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/s", by = path)]
async fn copy(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "10/s", max_concurrent = 3)]
async fn rename(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(id = "disk", rate = "10/s")]
async fn touch(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
