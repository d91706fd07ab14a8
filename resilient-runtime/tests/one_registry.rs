//! Paused runtimes that share one registry, one after the other, as in tests without `test-util`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, clippy::panic, reason = "the guarded code of users does both")]

use std::time::Duration;

use resilient_runtime::{CircuitState, Fault, Rejected, circuit_breaker, registry, retry, timeout};
use tokio::time::{advance, sleep};

const HOUR: Duration = Duration::from_secs(3_600);

fn paused(seconds: u64, test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        advance(Duration::from_secs(seconds)).await;
        test.await;
    });
}

#[retry(max = 2, base = "0s", name = "shared", within = "1h")]
#[circuit_breaker(name = "shared", failure_rate = 0.5, window = "10s", min_calls = 2, success_threshold = 1)]
#[timeout("1s", name = "shared")]
async fn guarded(out: Result<u32, Fault<&'static str>>, took: Duration) -> Result<u32, Fault<&'static str>> {
    sleep(took).await;
    out
}

/// Guards against a breaker, a budget or a window that waits for a clock that is gone.
#[test]
fn a_clock_that_starts_again_wedges_nothing() {
    for seconds in [1_000_000, 0, 500, 0, 2_000_000, 1] {
        paused(seconds, async {
            for _ in 0..200 {
                let out = guarded(Err(Fault::Failed("down")), Duration::ZERO).await;
                assert!(out.is_err());
            }
            let breaker =
                registry().circuit_breaker("shared").unwrap_or_else(|| panic!("a function uses it"));
            assert_eq!(breaker.state(), CircuitState::Open);
            let wait = breaker.snapshot().retry_after.expect("open for a while");
            assert!(wait <= Duration::from_secs(30), "{wait:?}");
            advance(wait).await;
            assert_eq!(guarded(Ok(1), Duration::ZERO).await, Ok(1));
            assert_eq!(breaker.state(), CircuitState::Closed);
            let late = guarded(Ok(1), HOUR).await;
            assert!(matches!(late, Err(Fault::Rejected(Rejected::TimedOut { .. }))), "{late:?}");
            breaker.force_open();
            breaker.resume();
        });
    }
}
