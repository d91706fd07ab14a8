use resilient_runtime::{Rate, rate_limit};

const RATE: Rate = Rate::per_second(0);

#[rate_limit(name = "disk", rate = RATE)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
