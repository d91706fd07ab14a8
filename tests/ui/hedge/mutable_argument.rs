use resilient_runtime::hedge;

#[hedge(after = "50ms")]
async fn count(counter: &mut u32, names: &[String]) -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
