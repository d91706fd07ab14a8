use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(max = true)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
