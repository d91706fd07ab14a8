use resilient_runtime::retry;

trait Store {
    #[retry]
    async fn load(&self, path: &str) -> std::io::Result<String>;
}

fn main() {}
