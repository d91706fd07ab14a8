use resilient_runtime::cache;

#[cache(ttl = "30s")]
fn quote(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
