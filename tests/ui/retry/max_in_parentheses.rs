use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(max(3))]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
