//! Several attributes on one function: order and effect.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{
    CircuitState, Classify, Fault, Rejected, attempt, circuit_breaker, configure, fallback, registry, retry,
    test_util, timeout,
};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// Counts a run of a body; tests have a thread each.
fn run() -> u32 {
    RUNS.set(RUNS.get() + 1);
    RUNS.get()
}

fn state_of(name: &str) -> CircuitState {
    registry().circuit_breaker(name).unwrap().state()
}

#[retry(max = 4, base = "0s")]
#[circuit_breaker(name = "inside", failure_threshold = 2)]
async fn breaker_inside_retry() -> Result<(), Fault<&'static str>> {
    run();
    Err(Fault::Failed("down"))
}

#[tokio::test(start_paused = true)]
async fn each_attempt_passes_the_breaker_below_the_retry() {
    let error = breaker_inside_retry().await.unwrap_err();
    assert_eq!(RUNS.get(), 2, "the third attempt is refused");
    assert!(matches!(error, Fault::Rejected(Rejected::CircuitOpen { name: "inside", .. })), "{error:?}");
    assert_eq!(state_of("inside"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_stays_open_longer_than_any_wait_ends_the_retry_at_once() {
    let start = Instant::now();
    breaker_inside_retry().await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_soon_is_waited_for() {
    #[retry(max = 3, base = "1s", backoff = "fixed", jitter = "none")]
    #[circuit_breaker(name = "soon", failure_threshold = 1, reset_timeout = "5s", success_threshold = 1)]
    async fn soon() -> Result<u32, Fault<&'static str>> {
        if run() == 1 { Err(Fault::Failed("down")) } else { Ok(attempt()) }
    }
    let start = Instant::now();
    // Refused after one second, told to come back in four, and one more to be kind.
    assert_eq!(soon().await, Ok(3));
    assert_eq!(start.elapsed(), 6 * SECOND);
    assert_eq!(state_of("soon"), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_around_a_retry_counts_calls_and_not_attempts() {
    #[circuit_breaker(name = "around", failure_threshold = 2)]
    #[retry(max = 5, base = "0s")]
    async fn around() -> Result<(), Fault<&'static str>> {
        run();
        Err(Fault::Failed("down"))
    }
    around().await.unwrap_err();
    assert_eq!((RUNS.get(), state_of("around")), (5, CircuitState::Closed));
    around().await.unwrap_err();
    assert_eq!((RUNS.get(), state_of("around")), (10, CircuitState::Open));
    around().await.unwrap_err();
    assert_eq!(RUNS.get(), 10, "a refused call does not run");
}

#[timeout("10s")]
#[retry(max = 3, base = "1s", backoff = "fixed", jitter = "none")]
#[timeout("2s")]
async fn two_timeouts() -> Result<u32, Fault<&'static str>> {
    run();
    sleep(60 * SECOND).await;
    Ok(0)
}

#[tokio::test(start_paused = true)]
async fn a_timeout_below_a_retry_is_for_each_attempt() {
    let start = Instant::now();
    let error = two_timeouts().await.unwrap_err();
    assert_eq!((RUNS.get(), start.elapsed()), (3, 8 * SECOND));
    let name = "stacking::two_timeouts#2";
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name, limit: 2 * SECOND }), "the last attempt's");
}

#[tokio::test(start_paused = true)]
async fn a_timeout_above_a_retry_is_for_all_attempts() {
    configure().timeout("stacking::two_timeouts", |t| t.limit(4 * SECOND)).install().unwrap();
    let start = Instant::now();
    let error = two_timeouts().await.unwrap_err();
    assert_eq!((RUNS.get(), start.elapsed()), (2, 4 * SECOND));
    let name = "stacking::two_timeouts";
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name, limit: 4 * SECOND }));
}

#[tokio::test(start_paused = true)]
async fn no_wait_begins_that_would_cross_the_time_for_all() {
    #[timeout("5s", name = "in all")]
    #[retry(max = 3, base = "2s", backoff = "fixed", jitter = "none")]
    async fn hurried() -> Result<(), Fault<&'static str>> {
        run();
        sleep(SECOND).await;
        Err(Fault::Failed("down"))
    }
    let start = Instant::now();
    assert_eq!(hurried().await, Err(Fault::Failed("down")), "the error, and not that time is up");
    assert_eq!((RUNS.get(), start.elapsed()), (2, 4 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_counts_a_timeout_below_it_as_a_failure() {
    #[circuit_breaker(name = "slow", failure_threshold = 2)]
    #[timeout("1s")]
    async fn slow() -> Result<(), Fault<()>> {
        std::future::pending().await
    }
    for _ in 0..2 {
        assert!(matches!(slow().await, Err(Fault::Rejected(Rejected::TimedOut { .. }))));
    }
    assert_eq!(state_of("slow"), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_cut_by_the_timeout_above_is_abandoned_and_not_failed() {
    #[timeout("1s")]
    #[circuit_breaker(name = "cut", failure_threshold = 1)]
    async fn cut() -> Result<(), Fault<()>> {
        std::future::pending().await
    }
    cut().await.unwrap_err();
    let snapshot = registry().circuit_breaker("cut").unwrap().snapshot();
    assert_eq!((snapshot.abandoned, snapshot.failed, snapshot.state), (1, 0, CircuitState::Closed));
}

#[derive(Debug, PartialEq, Classify)]
enum ShopError {
    #[transient]
    Down,
    #[transparent]
    Refused(Rejected),
}

impl From<Rejected> for ShopError {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

#[circuit_breaker(name = "stock", failure_threshold = 1, reset_timeout = "1m")]
async fn stock() -> Result<u32, ShopError> {
    run();
    Err(ShopError::Down)
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_a_function_called_inside_is_no_failure_of_ours() {
    #[circuit_breaker(name = "shop", failure_threshold = 2)]
    async fn shop() -> Result<u32, ShopError> {
        stock().await
    }
    assert_eq!(shop().await, Err(ShopError::Down));
    for _ in 0..5 {
        assert!(matches!(shop().await, Err(ShopError::Refused(Rejected::CircuitOpen { name: "stock", .. }))));
    }
    let snapshot = registry().circuit_breaker("shop").unwrap().snapshot();
    assert_eq!((snapshot.failed, snapshot.ignored, snapshot.state), (1, 5, CircuitState::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_retry_knows_the_refusal_of_a_function_called_inside() {
    #[retry(max = 5, base = "1s")]
    async fn shop() -> Result<u32, ShopError> {
        stock().await
    }
    let start = Instant::now();
    assert!(matches!(shop().await, Err(ShopError::Refused(_))));
    assert_eq!(RUNS.get(), 1);
    assert!(start.elapsed() <= SECOND, "one wait for `Down`, none for a minute of being open");
}

#[fallback(fn = cached)]
#[retry(max = 3, base = "100ms")]
#[circuit_breaker(name = "payments", failure_threshold = 3)]
#[timeout("2s")]
async fn quote(sku: &str, up: bool) -> Result<String, ShopError> {
    run();
    if up { Ok(format!("fresh {sku}")) } else { Err(ShopError::Down) }
}

async fn cached(sku: &str, _up: bool) -> Result<String, ShopError> {
    sleep(Duration::from_millis(1)).await;
    Ok(format!("cached {sku}"))
}

#[tokio::test(start_paused = true)]
async fn the_usual_stack_serves_through_an_outage_and_recovers() {
    let events = test_util::record();
    assert_eq!(quote("tea", true).await.unwrap(), "fresh tea");
    assert_eq!(quote("tea", false).await.unwrap(), "cached tea");
    assert_eq!(RUNS.get(), 4, "three attempts");
    for _ in 0..10 {
        assert_eq!(quote("tea", true).await.unwrap(), "cached tea");
    }
    assert_eq!(RUNS.get(), 4, "the breaker is open");
    advance(30 * SECOND).await;
    assert_eq!(quote("tea", true).await.unwrap(), "fresh tea");
    assert_eq!(quote("tea", true).await.unwrap(), "fresh tea");
    assert_eq!(state_of("payments"), CircuitState::Closed);
    let mut words = events.words("payments");
    words.retain(|word| *word != "rejected");
    assert_eq!(words, ["opened", "half_opened", "closed"]);
    let served = events.words("stacking::quote").iter().filter(|word| **word == "fell_back").count();
    assert_eq!(served, 11);
}

#[test]
fn the_record_lists_the_layers_top_first() {
    let quote = registry().functions().iter().find(|f| f.path() == "stacking::quote").unwrap();
    let stems: Vec<_> = quote.layers().iter().map(resilient_runtime::Layer::stem).collect();
    assert_eq!(stems, ["fallback", "retry", "circuit_breaker", "timeout"]);
    assert_eq!(quote.layers()[2].name(), Some("payments"));
    assert!(quote.file().ends_with("tests/stacking.rs"));
}

/// Counts how often it is asked for another answer.
#[derive(Clone, Debug, Default)]
struct Stock {
    asked: Arc<AtomicU32>,
    own: u32,
}

impl Stock {
    fn another(asked: &Arc<AtomicU32>) -> Result<u32, Fault<()>> {
        if asked.fetch_add(1, Relaxed) < 2 { Err(Fault::Failed(())) } else { Ok(7) }
    }

    #[retry(max = 3, base = "0s")]
    #[fallback(fn = Self::unique_answer, when = |_| true)]
    async fn unique(&mut self, seen: &mut Vec<u32>) -> Result<u32, Fault<()>> {
        self.own += 1;
        seen.push(self.own);
        Err(Fault::Failed(()))
    }

    fn unique_answer(&mut self, seen: &mut Vec<u32>) -> Result<u32, Fault<()>> {
        seen.push(0);
        Self::another(&self.asked)
    }

    #[retry(max = 3, base = "0s")]
    #[fallback(fn = Self::owned_answer, when = |_| true)]
    async fn owned(self) -> Result<u32, Fault<()>> {
        Err(Fault::Failed(()))
    }

    fn owned_answer(self) -> Result<u32, Fault<()>> {
        Self::another(&self.asked)
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_lends_a_fallback_below_it_what_the_next_attempt_wants_again() {
    let (mut stock, mut seen) = (Stock::default(), Vec::new());
    assert_eq!(stock.unique(&mut seen).await, Ok(7));
    assert_eq!(seen, [1, 0, 2, 0, 3, 0], "three attempts, each with its fallback");
    assert_eq!(Stock::default().owned().await, Ok(7));
}
