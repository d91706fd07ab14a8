use resilient_runtime::cache;

struct Quote;

#[cache(ttl = "30s")]
async fn quote(sku: u32) -> std::io::Result<Quote> {
    let _ = sku;
    Ok(Quote)
}

fn main() {}
