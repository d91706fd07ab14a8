use resilient_runtime::load_shed;

#[load_shed(name = "shop", optional_at = 0.9, normal_at = 0.5)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
