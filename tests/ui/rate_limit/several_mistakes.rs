use resilient_runtime::rate_limit;

#[rate_limit(rate = "10", burst = 0, max_wait = "soon", keys = path)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
