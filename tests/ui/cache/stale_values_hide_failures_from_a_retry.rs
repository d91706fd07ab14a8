use resilient_runtime::{cache, retry};

#[retry]
#[cache(ttl = "30s", stale_if_error = "5m")]
async fn quote(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
