use resilient_runtime::cache;

type Answer<'a> = std::io::Result<&'a str>;

#[cache(ttl = "30s")]
async fn quote(sku: &str) -> Answer<'_> {
    Ok(sku)
}

fn main() {}
