use resilient_runtime::rate_limit;

const RATE: &str = "10/s";

#[rate_limit(name = "disk", rate = RATE)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
