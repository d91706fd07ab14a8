use resilient_runtime::coalesce;

#[coalesce]
async fn quote(sku: &str) -> std::io::Result<&str> {
    Ok(sku)
}

fn main() {}
