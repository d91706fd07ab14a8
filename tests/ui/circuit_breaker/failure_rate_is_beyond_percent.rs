use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", failure_rate = 500)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
