use resilient_runtime::cache;

#[cache(ttl = "30s")]
async fn quote(price: f64) -> std::io::Result<u32> {
    Ok(price as u32)
}

fn main() {}
