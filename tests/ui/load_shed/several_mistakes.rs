use resilient_runtime::load_shed;

#[load_shed(max_limit = 0, window = "soon", optional = true)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
