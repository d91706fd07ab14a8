use resilient_runtime::hedge;

#[hedge(after = "50ms")]
fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
