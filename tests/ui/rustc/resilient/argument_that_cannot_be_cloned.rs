use resilient_runtime::resilient;

struct Order;

#[resilient("payments")]
async fn charge(order: Order) -> std::io::Result<()> {
    drop(order);
    Ok(())
}

fn main() {}
