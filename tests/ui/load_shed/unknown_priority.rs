use resilient_runtime::load_shed;

#[load_shed(name = "shop", priority = "high")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "shop", priority = "Critical")]
async fn size(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "shop", priority = Priority::Critical)]
async fn discard(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "shop", priority = critical)]
async fn list(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[load_shed(name = "shop", critical)]
async fn copy(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

fn main() {}
