use resilient_runtime::retry;

#[retry]
async fn size(path: &str) -> usize {
    path.len()
}

fn main() {}
