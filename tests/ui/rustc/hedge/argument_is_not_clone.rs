use resilient_runtime::hedge;

struct Order;

#[hedge(after = "50ms")]
async fn place(order: Order) -> std::io::Result<Order> {
    Ok(order)
}

fn main() {}
