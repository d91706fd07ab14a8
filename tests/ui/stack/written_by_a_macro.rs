use resilient_runtime::retry;

macro_rules! loader {
    ($name:ident, $max:expr) => {
        #[retry(max = $max)]
        async fn $name(path: &str) -> std::io::Result<String> {
            tokio::fs::read_to_string(path).await
        }
    };
}

loader!(load, 0);

fn main() {}
