use resilient_runtime::cache;

struct Shop;

impl Shop {
    #[cache(ttl = "30s")]
    async fn quote(&self, sku: &str) -> std::io::Result<u32> {
        Ok(sku.len() as u32)
    }
}

fn main() {}
