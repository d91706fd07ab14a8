use resilient_runtime::retry;

#[retry(max = N)]
async fn load<const N: u32>(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
