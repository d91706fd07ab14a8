use resilient_runtime::timeout;

#[timeout("1s")]
async fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

fn main() {}
