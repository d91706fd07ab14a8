use resilient_runtime::timeout;
use tokio::net::TcpStream;

#[timeout(true)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
