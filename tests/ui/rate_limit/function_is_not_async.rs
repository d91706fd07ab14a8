use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/s")]
fn load(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {}
