use resilient_runtime::hedge;

#[hedge(after = "p5")]
async fn low() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "p100")]
async fn high() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "p99.95")]
async fn fine() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "95%")]
async fn percent() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "P95")]
async fn capital() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = p95)]
async fn word() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = 0.95)]
async fn share() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "p-95")]
async fn minus() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "p")]
async fn nothing() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
