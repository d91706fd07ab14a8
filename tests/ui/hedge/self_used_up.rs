use resilient_runtime::hedge;

struct Client;

async fn send(_client: Client) -> std::io::Result<u32> {
    Ok(1)
}

impl Client {
    #[hedge(after = "50ms")]
    async fn ask(self) -> std::io::Result<u32> {
        send(self).await
    }
}

fn main() {}
