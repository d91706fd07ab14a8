use resilient_runtime::health_check;

#[health_check(critical)]
async fn database() -> Result<(), String> {
    Ok(())
}

fn main() {}
