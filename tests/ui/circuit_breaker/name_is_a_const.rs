use resilient_runtime::circuit_breaker;
use tokio::net::TcpStream;

const DISK: &str = "disk";

#[circuit_breaker(name = DISK)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
