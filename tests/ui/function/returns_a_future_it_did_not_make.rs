use resilient_runtime::retry;

#[retry]
fn load(path: &'static str) -> impl Future<Output = std::io::Result<String>> {
    tokio::fs::read_to_string(path)
}

fn main() {}
