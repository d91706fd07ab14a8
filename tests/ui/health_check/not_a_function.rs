use resilient_runtime::health_check;

#[health_check(name = "database")]
struct Database;

fn main() {}
