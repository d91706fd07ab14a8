use resilient_runtime::fallback;

struct Shop;

impl Shop {
    #[fallback(cached)]
    async fn quote(&self, sku: &str) -> std::io::Result<usize> {
        Ok(sku.len())
    }
}

fn main() {}
