//! What exporters say of policies: names, labels and values over whole cycles.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod metrics;
mod openmetrics;
mod otel;
mod program;
mod prometheus;

use std::cell::Cell;
use std::time::Duration;

use resilient_runtime::{Fault, bulkhead, circuit_breaker, fallback, rate_limit, registry, retry, timeout};
use tokio::time::advance;

pub(crate) type Answer = Result<u32, Fault<&'static str>>;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

#[retry(name = "payments", max = 3, backoff = "fixed", base = "1ms", jitter = "none")]
#[circuit_breaker(name = "payments", failure_threshold = 4, reset_timeout = "10s", success_threshold = 1)]
#[timeout("1s", name = "payments")]
async fn pay(answers: &Cell<u32>) -> Answer {
    match answers.get() {
        0 => Err(Fault::Failed("down")),
        left => {
            answers.set(left - 1);
            Ok(left)
        }
    }
}

#[fallback(name = "payments", value = 0)]
#[rate_limit(name = "payments", rate = "2/s", burst = 2)]
#[bulkhead(name = "payments", max_concurrent = 1)]
async fn ask() -> Answer {
    Ok(1)
}

const STATES: [&str; 6] = ["closed", "disabled", "forced_open", "half_open", "observing", "open"];

/// All states of the breaker, with a 1 for the one it is in.
fn only(state: &str) -> Vec<(String, f64)> {
    STATES.map(|word| (word.to_owned(), f64::from(u8::from(word == state)))).to_vec()
}

/// Retries, a breaker from closed to closed, and limits that refuse.
async fn whole_cycle(mut see: impl FnMut(&str)) {
    let breaker = registry().circuit_breaker("payments").unwrap();
    see("closed");
    pay(&Cell::new(1)).await.unwrap();
    pay(&Cell::new(0)).await.unwrap_err();
    pay(&Cell::new(0)).await.unwrap_err();
    see("open");
    advance(10 * SECOND).await;
    see("half_open");
    pay(&Cell::new(1)).await.unwrap();
    see("closed");
    breaker.force_open();
    see("forced_open");
    pay(&Cell::new(1)).await.unwrap_err();
    breaker.disable();
    see("disabled");
    breaker.observe();
    see("observing");
    breaker.resume();
    see("closed");
    for answer in [1, 1, 0] {
        assert_eq!(ask().await, Ok(answer));
    }
}
