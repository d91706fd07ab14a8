use resilient_runtime::timeout;

#[timeout("1s")]
mod disk {
    pub async fn load(path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
