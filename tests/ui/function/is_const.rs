use resilient_runtime::retry;

#[retry]
const fn size(bytes: &[u8]) -> Result<usize, std::io::Error> {
    Ok(bytes.len())
}

fn main() {}
