use resilient_runtime::retry;

#[retry(no_clone(body))]
async fn save(path: &str, mut body: Vec<u8>) -> std::io::Result<()> {
    body.push(0);
    tokio::fs::write(path, &body).await
}

fn main() {}
