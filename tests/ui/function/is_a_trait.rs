use resilient_runtime::retry;

#[retry]
trait Store {
    async fn load(&self, path: &str) -> std::io::Result<String>;
}

fn main() {}
