use resilient_runtime::retry;

struct Upload(Vec<u8>);

fn into_page(upload: Upload) -> Vec<u8> {
    upload.0
}

impl Upload {
    #[retry]
    async fn save(self, path: &str) -> std::io::Result<()> {
        tokio::fs::write(path, into_page(self)).await
    }
}

fn main() {}
