use resilient_runtime::retry;

#[retry(no_clone(page))]
async fn save(path: &str, page: Vec<u8>) -> std::io::Result<()> {
    let mut page = page;
    page.push(b'.');
    tokio::fs::write(path, page).await
}

fn main() {}
