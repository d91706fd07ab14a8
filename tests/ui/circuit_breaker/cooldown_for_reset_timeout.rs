use resilient_runtime::circuit_breaker;
use tokio::net::TcpStream;

#[circuit_breaker(name = "disk", cooldown = "10s")]
async fn size(path: &str) -> Result<u64, std::io::Error> {
    Ok(tokio::fs::metadata(path).await?.len())
}

#[circuit_breaker(name = "disk", break_duration = "10s")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[circuit_breaker(name = "disk", recovery_timeout = "10s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[circuit_breaker(name = "disk", timeout = "10s")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
