use resilient_runtime::retry;

struct Client;

impl Client {
    const MAX: u32 = 4;

    #[retry(max = Self::MAX)]
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
