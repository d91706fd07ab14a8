use resilient_runtime::timeout;
use tokio::net::TcpStream;

#[timeout(2s)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[timeout(250ms)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
