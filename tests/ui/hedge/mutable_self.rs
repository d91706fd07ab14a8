use resilient_runtime::hedge;

struct Client;

impl Client {
    #[hedge]
    async fn ask(&mut self) -> std::io::Result<u32> {
        Ok(1)
    }

    #[hedge]
    async fn ask_pinned(self: std::pin::Pin<&mut Self>) -> std::io::Result<u32> {
        Ok(2)
    }
}

fn main() {}
