use resilient_runtime::timeout;

#[derive(Debug)]
enum DiskError {
    Broken,
}

#[timeout("1s")]
async fn load(path: &str) -> Result<String, DiskError> {
    tokio::fs::read_to_string(path).await.map_err(|_| DiskError::Broken)
}

fn main() {}
