use resilient_runtime::resilient;

#[resilient("files", max = 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[resilient("files", retry(max = 3))]
async fn remove(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_file(path).await
}

#[resilient("files", hedge)]
async fn create(path: &str) -> std::io::Result<()> {
    tokio::fs::create_dir(path).await
}

#[resilient("files", when = std::io::Error::is_transient)]
async fn clear(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_dir_all(path).await
}

#[resilient("files", enabled = false)]
async fn size(path: &str) -> std::io::Result<u64> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[resilient("files", no_clones(path))]
async fn save(path: String) -> std::io::Result<()> {
    tokio::fs::write(path, "").await
}

fn main() {}
