use resilient_runtime::circuit_breaker;

#[circuit_breaker(name = "disk", key = { if tenant == 0 { return Ok(0) } tenant })]
async fn load(tenant: u32) -> std::io::Result<u32> {
    Ok(7)
}

fn main() {}
