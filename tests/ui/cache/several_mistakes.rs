use resilient_runtime::cache;

#[cache(ttl = "0s", max_entries = "ten", keys = sku)]
async fn quote(sku: &str) -> std::io::Result<u32> {
    Ok(sku.len() as u32)
}

fn main() {}
