use resilient_runtime::cache;

#[cache(ttl = "30s")]
#[allow(clippy::too_many_arguments, reason = "they are the point")]
async fn quote(a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8, i: u8) -> std::io::Result<u8> {
    Ok(a + b + c + d + e + f + g + h + i)
}

fn main() {}
