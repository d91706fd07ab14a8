use resilient_runtime::hedge;

#[hedge(after = "50ms")]
#[hedge(after = "p95")]
async fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
