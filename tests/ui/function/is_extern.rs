use resilient_runtime::retry;

#[retry]
async extern "C" fn load(code: u32) -> Result<u32, std::io::Error> {
    Ok(code)
}

fn main() {}
