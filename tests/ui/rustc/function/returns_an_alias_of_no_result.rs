use resilient_runtime::{retry, timeout};

type Page = Option<String>;

#[retry]
#[timeout("1s")]
async fn load(path: &str) -> Page {
    tokio::fs::read_to_string(path).await.ok()
}

fn main() {}
