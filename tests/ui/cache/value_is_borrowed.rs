use resilient_runtime::cache;

#[cache(ttl = "30s")]
async fn quote(sku: &str) -> std::io::Result<&str> {
    Ok(sku)
}

fn main() {}
