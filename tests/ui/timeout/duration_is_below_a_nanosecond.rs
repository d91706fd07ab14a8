use resilient_runtime::timeout;

#[timeout("0.1ns")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
