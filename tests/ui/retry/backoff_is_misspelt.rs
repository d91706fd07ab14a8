use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(backoff = "exponental")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(backoff = "Fixed")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
