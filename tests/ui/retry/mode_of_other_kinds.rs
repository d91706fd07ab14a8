use resilient_runtime::{retry, timeout};

#[retry(mode = "observe")]
async fn fetch() -> std::io::Result<()> {
    Ok(())
}

#[timeout("1s", mode = "dry_run")]
async fn search() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
