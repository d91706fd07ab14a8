use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(max = 3,, base = "1s")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
