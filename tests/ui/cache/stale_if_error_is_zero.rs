use resilient_runtime::cache;

#[cache(ttl = "30s", stale_if_error = "0s")]
async fn quote(sku: &str) -> std::io::Result<u32> {
    Ok(sku.len() as u32)
}

fn main() {}
