use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(base = std::time::Duration::from_millis(100))]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
