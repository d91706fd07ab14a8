use resilient_runtime::{bulkhead, retry};

#[retry(max = 3, readiness = "fail")]
#[bulkhead(name = "payments", max_concurrent = 3, readiness = "degrade")]
async fn pay() -> Result<(), String> {
    Ok(())
}

fn main() {}
