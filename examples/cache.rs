//! A price list through an outage, asked by many at once: `cargo run --example cache`.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{Fault, cache, coalesce, registry};
use tokio::time::sleep;

static DOWN: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicU32 = AtomicU32::new(0);

/// Fresh for a fifth of a second, and good enough for half a second more while nobody answers.
#[cache(ttl = "200ms", stale_if_error = "500ms", name = "prices")]
#[coalesce(name = "prices")]
async fn price(sku: &str) -> Result<usize, Fault<&'static str>> {
    ASKED.fetch_add(1, Relaxed);
    sleep(Duration::from_millis(50)).await;
    if DOWN.load(Relaxed) { Err(Fault::Failed("no answer")) } else { Ok(sku.len() * 100) }
}

async fn show(when: &str) {
    let before = ASKED.load(Relaxed);
    let answers = tokio::join!(price("tea"), price("tea"), price("milk"));
    println!("{when:<24} {answers:?}, asked {} times", ASKED.load(Relaxed) - before);
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    show("three customers at once").await;
    show("fresh").await;
    DOWN.store(true, Relaxed);
    sleep(Duration::from_millis(300)).await;
    show("stale, and nobody there").await;
    sleep(Duration::from_millis(500)).await;
    show("too old").await;
    DOWN.store(false, Relaxed);
    show("back again").await;
    if let (Some(cache), Some(flights)) = (registry().cache("prices"), registry().coalesce("prices")) {
        let (cache, flights) = (cache.snapshot(), flights.snapshot());
        println!("{} hits, {} misses, {} answered stale", cache.hits, cache.misses, cache.stale_on_error);
        println!("{} calls ran, {} waited for one of them", flights.flights, flights.joined);
    }
}
