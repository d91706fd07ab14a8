use resilient_runtime::retry;

#[retry]
unsafe extern "C" fn sum(count: u32, mut numbers: ...) -> Result<u32, std::io::Error> {
    Ok(count)
}

fn main() {}
