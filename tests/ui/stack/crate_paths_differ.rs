use resilient_runtime::{retry, timeout};

#[retry(crate = ::resilient_runtime)]
#[timeout("1s", crate = ::resilience)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
