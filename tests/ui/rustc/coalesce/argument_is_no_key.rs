use resilient_runtime::coalesce;

struct Client;

#[coalesce]
async fn quote(client: &Client, sku: u32) -> std::io::Result<u32> {
    let _ = client;
    Ok(sku)
}

fn main() {}
