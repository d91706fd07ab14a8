use resilient_runtime::retry;

#[retry(max = *, base = "1s")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[retry(base = "1s" "2s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
