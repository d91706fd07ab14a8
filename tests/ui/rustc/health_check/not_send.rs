use resilient_runtime::health_check;

#[health_check(name = "database")]
async fn database() -> Result<(), String> {
    let held = std::rc::Rc::new(());
    std::future::ready(()).await;
    drop(held);
    Ok(())
}

fn main() {}
