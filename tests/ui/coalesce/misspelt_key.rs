use resilient_runtime::coalesce;

#[coalesce(kye = sku)]
async fn quote(sku: &str) -> std::io::Result<u32> {
    Ok(sku.len() as u32)
}

fn main() {}
