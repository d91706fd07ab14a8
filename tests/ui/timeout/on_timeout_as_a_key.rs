use resilient_runtime::timeout;
use tokio::net::TcpStream;

#[timeout("2s", on_timeout = cached)]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
