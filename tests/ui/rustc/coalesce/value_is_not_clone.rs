use resilient_runtime::coalesce;

struct Quote;

#[coalesce]
async fn quote(sku: u32) -> std::io::Result<Quote> {
    let _ = sku;
    Ok(Quote)
}

fn main() {}
