use resilient_runtime::hedge;

#[hedge(delay = "50ms")]
async fn delay() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(percentile = 95)]
async fn quantile() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(max_hedged_attempts = 1)]
async fn hedges() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(attempts = 2)]
async fn attempts() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(min_data_points = 10)]
async fn samples() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(hedge_if = is_busy)]
async fn predicate() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(backoff = "fixed")]
async fn waits() -> std::io::Result<u32> {
    Ok(1)
}

#[hedge(by_ref(a))]
async fn borrow() -> std::io::Result<u32> {
    Ok(1)
}

fn main() {}
