use resilient_runtime::retry;

#[tokio::main]
#[retry]
async fn main() -> std::io::Result<()> {
    tokio::fs::remove_file("lock").await
}
