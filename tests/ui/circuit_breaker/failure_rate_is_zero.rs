use resilient_runtime::circuit_breaker;
use tokio::net::TcpStream;

#[circuit_breaker(name = "disk", failure_rate = 0)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[circuit_breaker(name = "disk", failure_rate = 0.0)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
