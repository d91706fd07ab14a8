use resilient_runtime::fallback;

#[fallback(value = 0, key = sku)]
async fn quote(sku: &str) -> std::io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
