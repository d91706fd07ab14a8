use resilient_runtime::hedge;

#[hedge(max = 1)]
async fn one() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(max = 17)]
async fn many() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(max = 99999999999)]
async fn most() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
