use resilient_runtime::cache;

#[cache(ttl = "30s")]
async fn quote(sku: &str, log: &mut Vec<String>) -> std::io::Result<u32> {
    log.push(sku.to_owned());
    Ok(sku.len() as u32)
}

fn main() {}
