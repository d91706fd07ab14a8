use resilient_runtime::bulkhead;

#[bulkhead(name = "disk", max_concurrent = 3, max_wait = "1s", max_queue = 0)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
