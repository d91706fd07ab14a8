use resilient_runtime::fallback;

#[fallback(cached, key = sku.parse::<u32>()?)]
async fn quote(sku: String) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
    Ok(sku.len())
}

fn main() {}
