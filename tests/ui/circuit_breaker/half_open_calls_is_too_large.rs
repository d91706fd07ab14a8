use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", half_open_calls = 100_000)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
