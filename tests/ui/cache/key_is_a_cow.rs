use std::borrow::Cow;

use resilient_runtime::cache;

#[cache(ttl = "30s", key = sku)]
async fn quote(sku: Cow<'_, str>) -> std::io::Result<usize> {
    Ok(sku.len())
}

fn main() {}
