use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(base = "100 millis")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[retry(base = "2 seconds")]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[retry(base = "1min")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
