use resilient_runtime::circuit_breaker;
use tokio::net::TcpStream;

#[circuit_breaker(name = "disk", slow_call = "0s", slow_rate = 0.5)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
