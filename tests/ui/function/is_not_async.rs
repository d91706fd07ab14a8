use resilient_runtime::retry;

#[retry]
fn load(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {}
