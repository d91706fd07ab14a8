use resilient_runtime::health_check;

#[health_check(name = "database")]
async fn database(url: &str, again: bool) -> Result<(), String> {
    let _ = (url, again);
    Ok(())
}

fn main() {}
