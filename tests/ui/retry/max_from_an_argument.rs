use resilient_runtime::retry;

#[retry(max = attempts)]
async fn load(path: &str, attempts: u32) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
