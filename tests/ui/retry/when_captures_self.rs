use resilient_runtime::retry;

struct Client {
    patient: bool,
}

impl Client {
    #[retry(when = |_error| self.patient)]
    async fn load(&self, path: &str) -> std::io::Result<String> {
        tokio::fs::read_to_string(path).await
    }
}

fn main() {}
