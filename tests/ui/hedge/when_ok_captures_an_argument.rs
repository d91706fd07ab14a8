use resilient_runtime::hedge;

#[hedge(when_ok = |found| *found < least)]
async fn find(least: u32) -> Result<u32, &'static str> {
    Ok(least)
}

fn main() {}
