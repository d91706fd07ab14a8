use resilient_runtime::health_check;

#[health_check(name = "database")]
async fn database() -> bool {
    true
}

fn main() {}
