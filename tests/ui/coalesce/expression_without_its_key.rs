use resilient_runtime::coalesce;

#[coalesce(sku.len())]
async fn quote(sku: &str) -> std::io::Result<u32> {
    Ok(sku.len() as u32)
}

fn main() {}
