use resilient_runtime::retry;

#[retry]
async fn load(path: &str) -> Option<std::io::Result<String>> {
    Some(tokio::fs::read_to_string(path).await)
}

fn main() {}
