use resilient_runtime::load_shed;

#[derive(Debug)]
struct LoadError;

#[load_shed(name = "shop")]
async fn load(path: &str) -> Result<String, LoadError> {
    tokio::fs::read_to_string(path).await.map_err(|_| LoadError)
}

fn main() {}
