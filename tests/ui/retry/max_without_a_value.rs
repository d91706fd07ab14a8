use resilient_runtime::retry;
use tokio::net::TcpStream;

#[retry(max)]
async fn load(path: &str) -> std::io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[retry(max =, base = "1s")]
async fn connect(host: &str) -> std::io::Result<TcpStream> {
    TcpStream::connect(host).await
}

#[retry(base = "1s", max =)]
async fn save(path: &str, page: &[u8]) -> std::io::Result<()> {
    tokio::fs::write(path, page).await
}

fn main() {}
