use resilient_runtime::resilient;

#[resilient(name = "files")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[resilient(policy = "files")]
async fn remove(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_file(path).await
}

fn main() {}
