use resilient_runtime::{cache, fallback};

#[cache(ttl = "30s", stale_if_error = "5m")]
#[fallback(value = 0)]
async fn quote(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
