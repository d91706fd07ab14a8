use resilient_runtime::retry;

#[retry(on_retry = |attempt, delay, _cause| println!("{path}: attempt {attempt} in {delay:?}"))]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
