use resilient_runtime::bulkhead;

const MOST: u32 = 0;

#[bulkhead(name = "disk", max_concurrent = MOST)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
