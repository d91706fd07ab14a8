use resilient_runtime::timeout;

#[timeout("1s")]
async fn settle<T, E>(answer: Result<T, E>) -> Result<T, E> {
    answer
}

fn main() {}
