use resilient_runtime::cache;

#[cache(ttl = "30s", key = (sku, shop().await))]
async fn quote(sku: &str) -> std::io::Result<usize> {
    Ok(sku.len())
}

async fn shop() -> u32 {
    7
}

fn main() {}
