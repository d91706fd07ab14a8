use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", key = share)]
async fn load(path: &str, share: f64) -> std::io::Result<String> {
    tokio::fs::read_to_string(format!("{path}-{share}")).await
}

fn main() {}
