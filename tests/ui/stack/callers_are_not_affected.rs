// The one mistake is reported once; the function itself still exists for its callers.
use resilient_runtime::retry;

#[retry(max = 0)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

async fn twice(path: &str) -> std::io::Result<String> {
    Ok(load(path).await? + &load(path).await?)
}

fn main() {
    let _future = twice("page");
}
