use resilient_runtime::retry;

fn is_busy(_error: &std::io::Error) -> bool {
    true
}

#[retry(when = is_buzy)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
