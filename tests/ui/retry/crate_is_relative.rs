use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(crate = resilient_runtime)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[retry(crate = self::resilience)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
