use resilient_runtime::hedge;

struct Order;

#[hedge(after = "50ms", no_clone(order))]
async fn place(order: Order) -> std::io::Result<Order> {
    Ok(order)
}

fn main() {}
