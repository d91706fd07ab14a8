use resilient_runtime::{circuit_breaker, retry, timeout};

#[retry]
#[circuit_breaker(name = "disk")]
#[timeout("1s")]
fn load(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {}
