// Paths, another name on top or between, `cfg_attr`, built-in attributes and docs between, `tokio::main` below.
use resilient_runtime::{circuit_breaker, retry, retry as again, timeout, timeout as again_timeout};

#[again(max = 2)]
#[inline]
/// Loads a page.
#[cfg_attr(all(), timeout("1s"))]
#[cfg_attr(any(), no_such_attribute)]
#[must_use]
#[::resilient_runtime::circuit_breaker(name = "disk")]
#[allow(clippy::unused_async, reason = "an attribute among ours")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry]
#[again_timeout("1s")]
#[circuit_breaker(name = "disk")]
async fn size(path: &str) -> std::io::Result<u64> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[resilient_runtime::fallback(value = ())]
#[timeout("5s")]
#[tokio::main]
async fn main() -> std::io::Result<()> {
    let _page = load("no such page").await;
    let _size = size("no such page").await;
    Ok(())
}
