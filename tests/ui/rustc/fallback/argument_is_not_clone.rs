use resilient_runtime::fallback;

struct Page(Vec<u8>);

async fn spool(_path: &str, _page: Page) -> std::io::Result<()> {
    Ok(())
}

#[fallback(fn = spool)]
async fn save(path: &str, page: Page) -> std::io::Result<()> {
    tokio::fs::write(path, page.0).await
}

fn main() {}
