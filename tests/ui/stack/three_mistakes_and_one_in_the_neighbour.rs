use resilient_runtime::{retry, timeout};

#[retry(max = 0, backof = "fixed", base = 100)]
#[timeout("1 sekunde")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
