use resilient_runtime::timeout;

#[timeout("1s")]
async fn trim(line: &str) -> &str {
    line.trim()
}

fn main() {}
