use resilient_runtime::resilient;

#[resilient("orders", max_retries = 2, disabled, predicate = is_busy)]
async fn order() -> std::io::Result<()> {
    Ok(())
}

fn main() {}
