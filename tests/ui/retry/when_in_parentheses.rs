use resilient_runtime::retry;
use tokio::net::TcpStream;

fn is_busy(_: &std::io::Error) -> bool {
    true
}

#[retry(when(is_busy))]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
