use resilient_runtime::retry;

const BUSY: u32 = 3;

#[retry(when = BUSY)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
