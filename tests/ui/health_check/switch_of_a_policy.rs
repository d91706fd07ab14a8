use resilient_runtime::health_check;

#[health_check(name = "database", enabled = false)]
async fn database() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
