use resilient_runtime::load_shed;

#[load_shed(name = "shop", mod = "throttle", k = 1.5)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
