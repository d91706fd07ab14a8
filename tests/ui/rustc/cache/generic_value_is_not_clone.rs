use resilient_runtime::cache;

#[cache(ttl = "30s")]
async fn quote<T: Default>(sku: u32) -> std::io::Result<T> {
    let _ = sku;
    Ok(T::default())
}

fn main() {}
