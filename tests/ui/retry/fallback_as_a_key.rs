use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(fallback = cached)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
