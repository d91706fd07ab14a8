use resilient_runtime::timeout;

#[timeout("2s", "3s")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
