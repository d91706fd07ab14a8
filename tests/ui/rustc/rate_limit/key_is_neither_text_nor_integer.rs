use resilient_runtime::rate_limit;

#[rate_limit(name = "disk", rate = "10/s", key = share)]
async fn load(path: &str, share: f64) -> std::io::Result<String> {
    tokio::fs::read_to_string(format!("{path}{share}")).await
}

fn main() {}
