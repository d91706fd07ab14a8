use resilient_runtime::{Fault, bulkhead};

#[bulkhead(name = "disk", max_concurrent = 2, dry_run = true)]
async fn read() -> Result<u32, Fault<()>> {
    Ok(1)
}

fn main() {}
