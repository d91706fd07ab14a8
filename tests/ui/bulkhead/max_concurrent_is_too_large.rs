use resilient_runtime::bulkhead;

#[bulkhead(name = "disk", max_concurrent = 4_294_967_296)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
