use resilient_runtime::load_shed;

#[load_shed(name = "shop", max_limit = 0)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "disk", initial_limit = "20")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
