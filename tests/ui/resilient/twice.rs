use resilient_runtime::resilient;

#[resilient("files")]
#[resilient("disk")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[resilient("files")]
#[resilient("files")]
async fn remove(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_file(path).await
}

fn main() {}
