use resilient_runtime::load_shed;

#[load_shed(name = "shop", window = 100)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "disk", queue_time = "0s")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
