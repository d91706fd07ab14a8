use resilient_runtime::coalesce;

#[coalesce]
#[coalesce(name = "other")]
async fn quote(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
