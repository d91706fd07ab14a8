use resilient_runtime::retry;

#[retry(no_clone(bdy))]
async fn save(path: &str, body: Vec<u8>) -> std::io::Result<()> {
    tokio::fs::write(path, &body).await
}

fn main() {}
