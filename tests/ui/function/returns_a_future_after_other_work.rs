use resilient_runtime::retry;

#[retry]
fn load(path: &str) -> impl Future<Output = std::io::Result<String>> {
    let path = path.trim().to_owned();
    async move { tokio::fs::read_to_string(path).await }
}

fn main() {}
