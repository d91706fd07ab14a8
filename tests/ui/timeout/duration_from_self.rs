use resilient_runtime::timeout;
use std::time::Duration;

struct Client;

impl Client {
    const LIMIT: Duration = Duration::from_secs(2);

    #[timeout(Self::LIMIT)]
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
