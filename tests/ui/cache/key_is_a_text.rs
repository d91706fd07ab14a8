use resilient_runtime::cache;

#[cache(ttl = "30s", key = "quotes")]
async fn quote(sku: &str) -> std::io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
