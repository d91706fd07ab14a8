use resilient_runtime::retry;

const ATTEMPTS: usize = 4;

#[retry(max = ATTEMPTS)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
