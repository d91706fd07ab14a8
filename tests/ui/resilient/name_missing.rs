use resilient_runtime::resilient;

#[resilient]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[resilient(no_clone(path))]
async fn remove(path: String) -> std::io::Result<()> {
    tokio::fs::remove_file(&path).await
}

fn main() {}
