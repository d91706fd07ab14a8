use resilient_runtime::resilient;

const NAME: &str = "files";

#[resilient(files)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[resilient(NAME)]
async fn remove(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_file(path).await
}

#[resilient(7)]
async fn create(path: &str) -> std::io::Result<()> {
    tokio::fs::create_dir(path).await
}

#[resilient(crate::NAME)]
async fn clear(path: &str) -> std::io::Result<()> {
    tokio::fs::remove_dir_all(path).await
}

fn main() {}
