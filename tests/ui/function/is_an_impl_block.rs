use resilient_runtime::retry;

struct Disk;

#[retry]
impl Disk {
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
