use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk")]
async fn load(path: &str) -> (String, bool) {
    (path.to_owned(), true)
}

fn main() {}
