use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk")]
pub enum Answer {
    Yes,
    No,
}

fn main() {}
