use resilient_runtime::circuit_breaker;
use tokio::net::TcpStream;

#[circuit_breaker(name = "disk", failure_ratio = 0.5)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[circuit_breaker(name = "disk", error_rate = 0.5)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[circuit_breaker(name = "disk", failure_rate_threshold = 50)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
