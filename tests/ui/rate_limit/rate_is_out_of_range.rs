use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/ns")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "5000000000/s")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[rate_limit(name = "disk", rate = "1/400d")]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
