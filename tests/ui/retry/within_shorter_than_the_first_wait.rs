use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(base = "5s", jitter = "none", within = "5s")]
async fn discard(path: &str) -> Result<(), std::io::Error> {
    tokio::fs::remove_file(path).await
}

#[retry(base = "2s", jitter = "equal", within = "1s")]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(base = "1s", jitter = "decorrelated", within = "900ms")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

fn main() {}
