use resilient_runtime::health_check;

#[health_check(nam = "database", critical = true, interval = 10, timeout = "0s", every = "5s", retries = 3)]
async fn database() -> Result<(), String> {
    Ok(())
}

fn main() {}
