use resilient_runtime::{fallback, retry};

#[retry]
#[fallback(cached)]
async fn quote(sku: &str) -> std::io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
