use resilient_runtime::fallback;

async fn origin(_point: (f64, f64)) -> std::io::Result<String> {
    Ok(String::new())
}

#[fallback(fn = origin)]
async fn tile((x, y): (f64, f64)) -> std::io::Result<String> {
    tokio::fs::read_to_string(format!("{x}-{y}")).await
}

fn main() {}
