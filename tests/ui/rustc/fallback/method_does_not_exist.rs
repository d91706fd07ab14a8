use resilient_runtime::fallback;

struct Disk;

impl Disk {
    #[fallback(fn = Self::cached)]
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
