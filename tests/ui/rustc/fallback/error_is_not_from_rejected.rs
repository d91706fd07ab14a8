// The fallback takes the error, which below a timeout can be a refusal.
use resilient_runtime::{fallback, timeout};

#[derive(Debug)]
struct DiskError;

fn cached(_path: &str, _error: DiskError) -> Result<String, DiskError> {
    Ok(String::new())
}

#[fallback(fn = cached(path, err))]
#[timeout("1s")]
async fn load(path: &str) -> Result<String, DiskError> {
    tokio::fs::read_to_string(path).await.map_err(|_| DiskError)
}

fn main() {}
