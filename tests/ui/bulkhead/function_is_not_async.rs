use resilient_runtime::bulkhead;

#[bulkhead(name = "disk", max_concurrent = 3)]
fn load(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)
}

fn main() {}
