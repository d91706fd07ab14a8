use resilient_runtime::cache;

#[cache(ttl = "30s", stale_while_revalidate)]
async fn quote(sku: &str) -> std::io::Result<u32> {
    Ok(sku.len() as u32)
}

fn main() {}
