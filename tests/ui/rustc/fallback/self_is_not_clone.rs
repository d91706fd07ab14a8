use resilient_runtime::fallback;

struct Order {
    total: u32,
}

async fn charge(order: Order) -> std::io::Result<u32> {
    Ok(order.total)
}

impl Order {
    #[fallback(fn = Self::queue)]
    async fn pay(self) -> std::io::Result<u32> {
        charge(self).await
    }

    fn queue(self) -> std::io::Result<u32> {
        Ok(self.total)
    }
}

fn main() {}
