use resilient_runtime::bulkhead;

#[bulkhead(max_concurrent = 0, max_wait = "soon", max_queu = 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
