use resilient_runtime::circuit_breaker;
use tokio::net::TcpStream;

#[circuit_breaker(name = "disk", threshold = 3)]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[circuit_breaker(name = "disk", max_failures = 3)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[circuit_breaker(name = "disk", consecutive_failures = 3)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
