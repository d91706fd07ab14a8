use resilient_runtime::circuit_breaker;

fn is_outage(_error: &std::io::Error) -> bool {
    true
}

#[circuit_breaker(name = "disk", failure_when = is_outage)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
