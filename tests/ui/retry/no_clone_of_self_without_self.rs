use resilient_runtime::retry;

#[retry(no_clone(self))]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
