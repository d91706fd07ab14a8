use std::io;

use resilient_runtime::retry;

#[retry(enabled = "false")]
async fn quote(sku: &str) -> io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
