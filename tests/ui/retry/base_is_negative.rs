use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(base = "-1s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(base = -1)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
