use resilient_runtime::timeout;

const LIMIT_MS: u64 = 2_000;

#[timeout(LIMIT_MS)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
