use resilient_runtime::load_shed;

const MOST: u32 = 0;
const LEVEL: f64 = 60.0;

#[load_shed(name = "shop", max_limit = MOST, optional_at = LEVEL)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
