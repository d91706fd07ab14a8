use resilient_runtime::cache;

struct Client;

#[cache(ttl = "30s")]
async fn quote(client: &Client, sku: u32) -> std::io::Result<u32> {
    let _ = client;
    Ok(sku)
}

fn main() {}
