//! Five readers of one page, the first of whom leaves: `cargo run --example coalesce`.

use std::time::Duration;

use resilient_runtime::{Fault, coalesce, registry};
use tokio::time::{Instant, sleep};

/// Rendered once for all who ask while it is under way.
#[coalesce(name = "pages", key = path)]
async fn page(path: &str, reader: &str) -> Result<String, Fault<&'static str>> {
    println!("rendering {path} for {reader}");
    sleep(Duration::from_millis(300)).await;
    Ok(format!("{path}, rendered for {reader}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let start = Instant::now();
    let mut readers: Vec<_> = ["Ada", "Ben", "Cleo", "Dan", "Eve"]
        .into_iter()
        .map(|reader| tokio::spawn(async move { (reader, page("/news", reader).await) }))
        .collect();
    sleep(Duration::from_millis(100)).await;
    println!("Ada closes the window");
    readers.remove(0).abort();
    for reader in readers {
        if let Ok((reader, Ok(page))) = reader.await {
            println!("{:>4} ms  {reader} reads {page}", start.elapsed().as_millis());
        }
    }
    if let Some(pages) = registry().coalesce("pages") {
        let seen = pages.snapshot();
        println!("{} calls ran, {} waited, {} handed over", seen.flights, seen.joined, seen.handed_over);
    }
}
