use resilient_runtime::hedge;

struct Pool;

impl Pool {
    #[hedge(after = "50ms")]
    async fn lend(&self) -> std::io::Result<&mut u32> {
        std::future::pending().await
    }
}

fn main() {}
