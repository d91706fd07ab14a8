use resilient_runtime::retry;

#[retry]
async fn save<T: AsRef<[u8]>>(path: &str, page: T) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
