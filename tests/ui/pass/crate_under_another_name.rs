extern crate resilient_runtime as tough;

mod kept {
    pub use tough::*;
}

use kept::{circuit_breaker, fallback, retry, timeout};

#[fallback(value = String::new(), crate = ::tough)]
#[retry(max = 2, crate = ::tough)]
#[circuit_breaker(name = "disk", crate = ::tough)]
#[timeout("1s", crate = ::tough)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(crate = crate::kept)]
async fn peek(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[derive(kept::Classify)]
#[classify(crate = crate::kept)]
enum DiskError {
    #[transient]
    Full,
}

fn main() {
    let _futures = (load("page"), peek("page"));
    let _error = DiskError::Full;
}
