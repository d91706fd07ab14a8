use resilient_runtime::coalesce;

#[coalesce(by = sku)]
async fn quote_0(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[coalesce(ttl = "30s")]
async fn quote_1(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[coalesce(timeout = "1s")]
async fn quote_2(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[coalesce(single_flight = true)]
async fn quote_3(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[coalesce(id = "quotes")]
async fn quote_4(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
