use resilient_runtime::cache;

#[cache(ttl = "30s", key = |sku| sku)]
async fn quote(sku: &str) -> std::io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
