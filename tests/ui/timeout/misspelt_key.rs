use resilient_runtime::timeout;

#[timeout("2s", nme = "disk")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
