use resilient_runtime::rate_limit;

#[derive(Debug)]
struct LoadError;

#[rate_limit(name = "disk", rate = "10/s")]
async fn load(path: &str) -> Result<String, LoadError> {
    tokio::fs::read_to_string(path).await.map_err(|_| LoadError)
}

fn main() {}
