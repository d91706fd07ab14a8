use resilient_runtime::timeout;
use tokio::net::TcpStream;

#[timeout]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[timeout()]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[timeout(name = "disk")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
