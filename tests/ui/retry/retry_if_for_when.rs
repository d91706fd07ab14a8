use resilient_runtime::retry;
use tokio::net::TcpStream;

fn is_busy(_: &std::io::Error) -> bool {
    true
}

#[retry(retry_if = is_busy)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[retry(predicate = is_busy)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

#[retry(on = is_busy)]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

fn main() {}
