use resilient_runtime::load_shed;

#[load_shed(name = "shop", k = 2.0)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "disk", mode = "throttle", max_limit = 10, optional_at = 0.5)]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
