use resilient_runtime::cache;

#[cache(ttl = "30s")]
async fn quote(sku: &str, note: Option<&str>) -> std::io::Result<usize> {
    Ok(sku.len() + note.map_or(0, str::len))
}

fn main() {}
