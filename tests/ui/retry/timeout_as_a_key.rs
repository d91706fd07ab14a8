use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(max = 3, timeout = "2s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(per_attempt = "2s")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
