use resilient_runtime::{hedge, timeout};

#[timeout("1s")]
#[hedge(after = "2s")]
async fn above() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(after = "1s")]
#[timeout("1s")]
async fn below() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
