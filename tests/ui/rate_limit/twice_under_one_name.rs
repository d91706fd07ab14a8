use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/s")]
#[rate_limit(name = "disk", rate = "100/m")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
