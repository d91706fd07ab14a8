use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/s", key = { let id = tenant?; id })]
async fn load(tenant: Result<u32, std::io::Error>) -> std::io::Result<u32> {
    Ok(7)
}

fn main() {}
