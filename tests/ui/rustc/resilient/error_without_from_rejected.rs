use resilient_runtime::resilient;

#[derive(Debug)]
struct Declined;

#[resilient("payments")]
async fn charge(order: u32) -> Result<u32, Declined> {
    if order == 0 { Err(Declined) } else { Ok(order) }
}

fn main() {}
