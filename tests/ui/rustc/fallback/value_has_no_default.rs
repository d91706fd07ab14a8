use resilient_runtime::fallback;

struct Page(String);

#[fallback(value = Page::default())]
async fn load(path: &str) -> std::io::Result<Page> {
    tokio::fs::read_to_string(path).await.map(Page)
}

fn main() {}
