use resilient_runtime::coalesce;

#[coalesce(key = { if sku.is_empty() { break } sku.len() })]
async fn quote(sku: &str) -> std::io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
