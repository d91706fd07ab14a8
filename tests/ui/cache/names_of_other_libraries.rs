use resilient_runtime::cache;

#[cache(time = 30)]
async fn quote_0(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", size = 100)]
async fn quote_1(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", convert = sku)]
async fn quote_2(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", result_fallback = true)]
async fn quote_3(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", swr = "1m")]
async fn quote_4(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", tti = "1m")]
async fn quote_5(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", sync_writes = "by_key")]
async fn quote_6(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", result = true)]
async fn quote_7(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

#[cache(ttl = "30s", id = "quotes")]
async fn quote_8(sku: u32) -> std::io::Result<u32> {
    Ok(sku)
}

fn main() {}
