use std::io;

use resilient_runtime::retry;

#[retry(enabled = 0)]
async fn quote(sku: &str) -> io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
