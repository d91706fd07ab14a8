use resilient_runtime::cache;

#[cache(ttl = "30s", sku)]
async fn quote(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
