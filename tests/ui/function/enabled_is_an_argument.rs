use std::io;

use resilient_runtime::retry;

#[retry(enabled = again)]
async fn quote(sku: &str, again: bool) -> io::Result<usize> {
    let _ = again;
    Ok(sku.len())
}

fn main() {}
