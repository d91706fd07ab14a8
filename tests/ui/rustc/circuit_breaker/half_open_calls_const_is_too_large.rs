use resilient_runtime::circuit_breaker;

const PROBES: u32 = 100_000;

#[circuit_breaker(name = "disk", half_open_calls = PROBES)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
