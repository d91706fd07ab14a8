use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", probes = 2)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[circuit_breaker(name = "disk", half_open_max_calls = 2)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
