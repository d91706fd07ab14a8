use resilient_runtime::retry;

#[retry(max = 3; base = "1s")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
