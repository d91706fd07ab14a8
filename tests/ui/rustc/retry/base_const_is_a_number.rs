use resilient_runtime::retry;

const BASE: u64 = 100;

#[retry(base = BASE)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
