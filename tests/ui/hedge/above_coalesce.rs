use resilient_runtime::{coalesce, hedge};

#[hedge(after = "50ms")]
#[coalesce]
async fn find(words: String) -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
