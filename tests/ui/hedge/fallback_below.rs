use resilient_runtime::{fallback, hedge};

#[hedge(after = "50ms")]
#[fallback(value = 0)]
async fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
