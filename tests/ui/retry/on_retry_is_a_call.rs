use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(on_retry = println!("again"))]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
