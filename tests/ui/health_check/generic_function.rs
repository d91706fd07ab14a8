use resilient_runtime::health_check;

#[health_check(name = "database")]
async fn database<'a, T: Default, const N: usize>() -> Result<T, &'a str> {
    Ok(T::default())
}

fn main() {}
