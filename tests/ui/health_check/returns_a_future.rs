use resilient_runtime::health_check;

use std::future::Future;

#[health_check(name = "database")]
fn database() -> impl Future<Output = Result<(), String>> {
    async move { Ok(()) }
}

fn main() {}
