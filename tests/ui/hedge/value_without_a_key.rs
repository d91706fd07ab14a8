use resilient_runtime::hedge;

#[hedge("50ms")]
async fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
