use resilient_runtime::cache;

use std::rc::Rc;

#[cache(ttl = "30s")]
async fn quote(sku: u32) -> std::io::Result<Rc<u32>> {
    Ok(Rc::new(sku))
}

fn main() {}
