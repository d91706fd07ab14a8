//! Figures for Prometheus over HTTP: `cargo run --example metrics`.
//!
//! It calls a service through an outage, prints what was counted, and ends. With `--serve 60` it serves these
//! figures for a minute, so that a Prometheus, or a `curl`, may read them.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use resilient_runtime::export::prometheus;
use resilient_runtime::{Fault, circuit_breaker, fallback, retry};
use tokio::net::TcpListener;
use tokio::time::sleep;

pub(crate) static DOWN: AtomicBool = AtomicBool::new(false);

#[fallback(name = "stock", value = false)]
#[retry(name = "stock", max = 3, base = "5ms", max_delay = "50ms")]
#[circuit_breaker(name = "stock", failure_threshold = 5, reset_timeout = "300ms")]
async fn in_stock(sku: u32) -> Result<bool, Fault<&'static str>> {
    if DOWN.load(Relaxed) { Err(Fault::Failed("connection refused")) } else { Ok(sku.is_multiple_of(2)) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    println!("http://{}/metrics", serve().await?);

    ask(20).await;
    DOWN.store(true, Relaxed);
    ask(10).await;
    show("in the outage");
    DOWN.store(false, Relaxed);
    sleep(Duration::from_millis(400)).await;
    show("after it");
    ask(10).await;
    show("at the end");

    sleep(Duration::from_secs(seconds_to_serve())).await;
    Ok(())
}

/// Serves `/metrics` on a port that the system chooses.
pub(crate) async fn serve() -> io::Result<SocketAddr> {
    let figures = get(async || ([(CONTENT_TYPE, prometheus::CONTENT_TYPE)], prometheus::text()));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(async { axum::serve(listener, Router::new().route("/metrics", figures)).await });
    Ok(address)
}

pub(crate) async fn ask(calls: u32) {
    for sku in 0..calls {
        // The fallback answers whatever fails.
        let _ = in_stock(sku).await;
    }
}

/// Prints what is not zero, of what a scrape would read now.
fn show(when: &str) {
    println!("\n{when}:");
    for line in prometheus::text().lines().filter(|line| !line.starts_with('#') && !line.ends_with(" 0")) {
        println!("  {line}");
    }
}

fn seconds_to_serve() -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != "--serve").skip(1);
    arguments.next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0)
}
