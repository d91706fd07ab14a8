use resilient_runtime::retry;

#[retry]
fn size(path: String) -> impl Future<Output = usize> {
    async move { path.len() }
}

fn main() {}
