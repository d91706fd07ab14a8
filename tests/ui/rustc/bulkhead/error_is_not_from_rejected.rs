use resilient_runtime::bulkhead;

#[derive(Debug)]
struct LoadError;

#[bulkhead(name = "disk", max_concurrent = 3)]
async fn load(path: &str) -> Result<String, LoadError> {
    tokio::fs::read_to_string(path).await.map_err(|_| LoadError)
}

fn main() {}
