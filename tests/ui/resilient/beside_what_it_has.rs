use resilient_runtime::{bulkhead, circuit_breaker, rate_limit, resilient, retry};

#[retry(max = 3)]
#[resilient("files")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[resilient("files")]
#[retry]
async fn remove(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_file(path).await
}

#[circuit_breaker(name = "files")]
#[resilient("files")]
async fn create(path: &str) -> std::io::Result<()> {
    tokio::fs::create_dir(path).await
}

#[rate_limit(name = "files", rate = "9/s")]
#[resilient("files")]
#[bulkhead(name = "files", max_concurrent = 3)]
async fn clear(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_dir_all(path).await
}

fn main() {}
