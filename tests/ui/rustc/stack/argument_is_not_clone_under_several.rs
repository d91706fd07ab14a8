use resilient_runtime::{circuit_breaker, retry, timeout};

struct Page(Vec<u8>);

#[timeout("10s")]
#[retry]
#[circuit_breaker(name = "disk")]
#[timeout("1s")]
async fn save(path: &str, page: Page) -> std::io::Result<()> {
    tokio::fs::write(path, page.0).await
}

fn main() {}
