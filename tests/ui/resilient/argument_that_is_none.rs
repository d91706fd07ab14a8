use resilient_runtime::resilient;

#[resilient("files", no_clone(paths))]
async fn remove(path: String) -> std::io::Result<()> {
    tokio::fs::remove_file(&path).await
}

#[resilient("files")]
fn load(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

#[resilient("files")]
async fn lend(line: &mut String) -> std::io::Result<&mut String> {
    Ok(line)
}

fn main() {}
