//! A breaker through an outage: `cargo run --example circuit_breaker`.

use std::ops::Range;
use std::sync::LazyLock;
use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, ConfigError, EventKind, Fault, Subscription, circuit_breaker, configure, registry,
    subscribe,
};
use tokio::time::{Instant, sleep};

const PAUSE: Duration = Duration::from_millis(60);
const CALLS: u32 = 25;
/// When the stock service is down.
const OUTAGE: Range<u128> = 250..700;

/// Three failures in a row open it; the start-up below makes it try again sooner than this says.
#[circuit_breaker(name = "stock", failure_threshold = 3, reset_timeout = "10s")]
async fn in_stock(sku: u32) -> Result<bool, Fault<&'static str>> {
    if OUTAGE.contains(&now()) { Err(Fault::Failed("connection refused")) } else { Ok(sku.is_multiple_of(2)) }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), ConfigError> {
    configure()
        .circuit_breaker("stock", |breaker| breaker.reset_timeout(Duration::from_millis(200)))
        .install()?;

    tokio::spawn(follow(subscribe()));
    for sku in 0..CALLS {
        let answer = in_stock(sku).await;
        let state = registry().circuit_breaker("stock").map(CircuitBreaker::state);
        let state = state.map_or("unknown", |state| state.as_str());
        match answer {
            Ok(there) => println!("{:>5} ms  {state:<9}  ok, in stock: {there}", now()),
            Err(Fault::Failed(error)) => println!("{:>5} ms  {state:<9}  failed: {error}", now()),
            Err(Fault::Rejected(rejected)) => println!("{:>5} ms  {state:<9}  not called: {rejected}", now()),
        }
        sleep(PAUSE).await;
    }

    if let Some(breaker) = registry().circuit_breaker("stock") {
        let told = breaker.snapshot();
        println!("\n{} succeeded, {} failed, {} not called", told.succeeded, told.failed, told.rejected);
    }
    Ok(())
}

async fn follow(mut events: Subscription) {
    while let Ok(event) = events.recv().await {
        if let EventKind::StateChanged { .. } = event.kind {
            println!("{:>5} ms  {}: {}", now(), event.policy, event.kind);
        }
    }
}

fn now() -> u128 {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed().as_millis()
}
