use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rat = "10/s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
