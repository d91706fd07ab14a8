use resilient_runtime::{hedge, retry};

#[hedge(after = "50ms")]
#[retry]
async fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
