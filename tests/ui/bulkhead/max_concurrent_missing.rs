use resilient_runtime::bulkhead;

#[bulkhead(name = "disk")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[bulkhead(name = "disk", max_wait = "1s")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
