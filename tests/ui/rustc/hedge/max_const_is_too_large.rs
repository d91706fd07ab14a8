use resilient_runtime::hedge;

const MOST: u32 = 17;

#[hedge(max = MOST)]
async fn find() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
