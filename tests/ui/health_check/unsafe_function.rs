use resilient_runtime::health_check;

#[health_check(name = "database")]
async unsafe fn database() -> Result<(), String> {
    Ok(())
}

fn main() {}
