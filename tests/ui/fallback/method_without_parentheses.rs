use resilient_runtime::fallback;

struct Disk;

impl Disk {
    async fn cached(&self, _path: &str) -> std::io::Result<String> {
        Ok(String::new())
    }

    #[fallback(fn = self.cached)]
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
