use resilient_runtime::retry;

#[retry]
async fn load<T: Default>(_path: &str) -> T {
    T::default()
}

fn main() {}
