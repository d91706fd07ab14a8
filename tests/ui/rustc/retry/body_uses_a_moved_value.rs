// The same error as without the attribute.
use resilient_runtime::retry;

#[retry]
async fn save(path: &str, page: Vec<u8>) -> std::io::Result<()> {
    drop(page);
    tokio::fs::write(path, page).await
}

fn main() {}
