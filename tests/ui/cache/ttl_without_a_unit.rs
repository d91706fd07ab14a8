use resilient_runtime::cache;

#[cache(ttl = 30)]
async fn quote(sku: &str) -> std::io::Result<u32> {
    Ok(sku.len() as u32)
}

fn main() {}
