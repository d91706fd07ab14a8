use resilient_runtime::circuit_breaker;

struct Tenant {
    id: u64,
}

#[circuit_breaker(name = "disk", key = tenant)]
async fn load(tenant: &Tenant) -> std::io::Result<String> {
    tokio::fs::read_to_string(tenant.id.to_string()).await
}

fn main() {}
