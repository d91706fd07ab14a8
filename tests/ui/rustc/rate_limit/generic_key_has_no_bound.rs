use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/s", key = tenant)]
async fn load<T: ToString>(tenant: T) -> std::io::Result<String> {
    Ok(tenant.to_string())
}

fn main() {}
