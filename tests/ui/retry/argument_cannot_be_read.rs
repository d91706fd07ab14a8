use resilient_runtime::retry;

#[retry(@max, base = "1s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
