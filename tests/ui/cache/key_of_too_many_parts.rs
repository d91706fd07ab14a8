use resilient_runtime::cache;

#[cache(ttl = "30s", key = (a, a, a, a, a, a, a, a, a))]
async fn quote(a: u8) -> std::io::Result<u8> {
    Ok(a)
}

fn main() {}
