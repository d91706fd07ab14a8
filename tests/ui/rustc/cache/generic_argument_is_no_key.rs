use resilient_runtime::cache;

#[cache(ttl = "30s")]
async fn quote<T: ToString>(sku: T) -> std::io::Result<String> {
    Ok(sku.to_string())
}

fn main() {}
