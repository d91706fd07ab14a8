// The same error as without the attributes.
use resilient_runtime::{fallback, retry, timeout};

#[fallback(value = 0)]
#[retry]
#[timeout("1s")]
async fn size(path: &str) -> std::io::Result<u64> {
    let size: u64 = path;
    Ok(size)
}

fn main() {}
