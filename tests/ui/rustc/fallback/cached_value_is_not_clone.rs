use resilient_runtime::fallback;

struct Quote;

#[fallback(cached)]
async fn quote(sku: u32) -> std::io::Result<Quote> {
    let _ = sku;
    Ok(Quote)
}

fn main() {}
