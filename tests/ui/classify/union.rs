use resilient_runtime::Classify;

#[derive(Classify)]
union Code {
    number: u32,
    bytes: [u8; 4],
}

fn main() {}
