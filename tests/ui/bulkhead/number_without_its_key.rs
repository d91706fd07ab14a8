use resilient_runtime::bulkhead;

#[bulkhead("disk", 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
