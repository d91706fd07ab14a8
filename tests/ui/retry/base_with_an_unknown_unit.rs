use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(base = "5 sekunden")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(base = "100mss")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
