use resilient_runtime::bulkhead;

#[bulkhead(name = "disk", max_concurrent_calls = 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[bulkhead(name = "disk", permits = 3)]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[bulkhead(name = "disk", max_concurrent = 3, max_wait_duration = "1s")]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[bulkhead(name = "disk", max_concurrent = 3, max_queuing_actions = 4)]
async fn list(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[bulkhead(name = "disk", max_concurrent = 3, reject_when_full)]
async fn copy(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[bulkhead(name = "disk", max_concurrent = 3, rate = "10/s")]
async fn rename(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
