use resilient_runtime::retry;

struct Page(Vec<u8>);

#[retry]
async fn save(path: &str, page: Page) -> std::io::Result<()> {
    tokio::fs::write(path, page.0).await
}

fn main() {}
