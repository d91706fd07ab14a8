use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", is_failure = Result::is_err)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[circuit_breaker(name = "disk", when = Result::is_err)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

fn main() {}
