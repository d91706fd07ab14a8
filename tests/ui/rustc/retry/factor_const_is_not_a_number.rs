use resilient_runtime::retry;

#[retry(factor = f64::NAN)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
