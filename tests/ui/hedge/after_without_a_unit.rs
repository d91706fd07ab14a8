use resilient_runtime::hedge;

#[hedge(after = 50)]
async fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
