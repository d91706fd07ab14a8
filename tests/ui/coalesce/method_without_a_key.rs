use resilient_runtime::coalesce;

struct Shop;

impl Shop {
    #[coalesce]
    async fn quote(&self, sku: &str) -> std::io::Result<u32> {
        Ok(sku.len() as u32)
    }
}

fn main() {}
