use resilient_runtime::retry;

#[retry(when_ok = |page| page.len() < least)]
async fn load(path: &str, least: usize) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
