use resilient_runtime::retry;

#[retry]
async fn save(path: &str, page: impl AsRef<[u8]>) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
