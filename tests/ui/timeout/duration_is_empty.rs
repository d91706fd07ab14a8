use resilient_runtime::timeout;
use tokio::net::TcpStream;

#[timeout("")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
