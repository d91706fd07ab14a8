use resilient_runtime::{retry, timeout};
use std::pin::Pin;

struct Disk;

impl Disk {
    #[timeout("1s")]
    #[retry(retries = 2)]
    fn load(&self, path: String) -> Pin<Box<dyn Future<Output = std::io::Result<String>> + Send + '_>> {
        Box::pin(async move { tokio::fs::read_to_string(path).await })
    }
}

fn main() {}
