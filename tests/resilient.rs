//! `#[resilient("name")]`: a stack that the configuration composes.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::time::Duration;

use resilient_runtime::{
    CircuitState, Fault, Rejected, circuit_breaker, configure, fallback, hedge, inventory, registry,
    resilient, timeout,
};
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

type Answer = Result<u32, Fault<&'static str>>;

thread_local! {
    static RUNS: Cell<u32> = const { Cell::new(0) };
}

/// Counts a run of a body; tests have a thread each.
fn run() -> u32 {
    RUNS.set(RUNS.get() + 1);
    RUNS.get()
}

#[resilient("payments")]
async fn charge(takes: Duration, ok: bool) -> Answer {
    run();
    sleep(takes).await;
    if ok { Ok(1) } else { Err(Fault::Failed("down")) }
}

#[resilient("payments")]
async fn refund() -> Answer {
    Ok(run())
}

#[tokio::test(start_paused = true)]
async fn without_a_configuration_the_function_runs_bare() {
    let began = Instant::now();
    assert!(matches!(charge(300 * SECOND, false).await, Err(Fault::Failed("down"))));
    assert_eq!((RUNS.get(), began.elapsed()), (1, 300 * SECOND), "one attempt of any length");
    for _ in 0..50 {
        charge(Duration::ZERO, false).await.unwrap_err();
    }
    charge(Duration::ZERO, true).await.unwrap();
    let calls = (0..500).map(|_| charge(SECOND, true));
    assert!(futures::future::join_all(calls).await.iter().all(Result::is_ok), "no limit of any kind");
}

#[tokio::test(start_paused = true)]
async fn what_the_configuration_names_is_on_and_the_rest_is_off() {
    configure().retry("payments", |r| r.max(4).base(Duration::ZERO)).install().unwrap();
    charge(300 * SECOND, false).await.unwrap_err();
    assert_eq!(RUNS.get(), 4);
    let breaker = registry().circuit_breaker("payments").unwrap();
    for _ in 0..50 {
        charge(Duration::ZERO, false).await.unwrap_err();
    }
    assert_ne!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn the_whole_stack_stands_in_the_usual_order() {
    configure()
        .bulkhead("payments", |b| b.max_concurrent(1))
        .timeout("payments", |t| t.limit(SECOND))
        .rate_limit("payments", |r| r.rate(resilient_runtime::Rate::per_second(100)).burst(10))
        .circuit_breaker("payments", |b| b.failure_threshold(2))
        .retry("payments", |r| r.max(3).base(MILLISECOND))
        .install()
        .unwrap();
    let error = charge(300 * SECOND, true).await.unwrap_err();
    assert_eq!(
        RUNS.get(),
        2,
        "two attempts, each ended by the timeout, and the breaker is open for the third"
    );
    assert!(matches!(error, Fault::Rejected(Rejected::CircuitOpen { name: "payments", .. })), "{error:?}");
    let error = refund().await.unwrap_err();
    assert!(matches!(error, Fault::Rejected(Rejected::CircuitOpen { .. })), "functions of one name share it");
}

#[tokio::test(start_paused = true)]
async fn a_file_tells_the_whole_stack_in_one_table() {
    let text = r#"
[retry.default]
base = "0s"

[policy.payments]
retry = { max = 4 }
timeout = { limit = "1s", enabled = false }
"#;
    configure().text("shop.toml", text).install().unwrap();
    charge(300 * SECOND, false).await.unwrap_err();
    assert_eq!(RUNS.get(), 4);
    let error = configure().text("shop.toml", "[policy.payments]\nbulkhead = {}\n").install().unwrap_err();
    assert_eq!(
        error.faults()[0].to_string(),
        "error: bulkhead.payments.max_concurrent: is missing: `#[resilient(\"payments\")]` leaves it to the \
         configuration\n --> shop.toml:2:1\n  |\n2 | bulkhead = {}\n  | ^^^^^^^^"
    );
}

#[tokio::test]
async fn a_default_switches_nothing_on() {
    configure().text("shop.toml", "[retry.default]\nmax = 9\nbase = \"0s\"\n").install().unwrap();
    charge(Duration::ZERO, false).await.unwrap_err();
    assert_eq!(RUNS.get(), 1);
}

#[tokio::test]
async fn a_stack_is_configured_when_one_of_its_policies_is() {
    let required = |text: &str| configure().require(true).text("shop.toml", text).install();
    let missing = |text: &str| required(text).unwrap_err().to_string();
    assert!(missing("").contains("policy.payments: `resilient::charge` uses it"), "{}", missing(""));
    assert!(!missing("[policy.payments]\nretry = {}\n").contains("policy.payments"));
}

#[tokio::test(start_paused = true)]
async fn a_named_setting_switches_a_policy_on_unless_it_says_otherwise() {
    configure().timeout("payments", |t| t.limit(SECOND).enabled(false)).install().unwrap();
    charge(300 * SECOND, true).await.unwrap();
    configure().timeout("payments", |t| t.limit(SECOND)).install().unwrap();
    assert!(matches!(charge(300 * SECOND, true).await, Err(Fault::Rejected(Rejected::TimedOut { .. }))));
    configure().install().unwrap();
    charge(300 * SECOND, true).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_policy_with_its_defaults_needs_no_settings() {
    configure().retry("payments", |r| r).circuit_breaker("payments", |b| b).install().unwrap();
    charge(Duration::ZERO, false).await.unwrap_err();
    assert_eq!(RUNS.get(), 3);
    charge(Duration::ZERO, false).await.unwrap_err();
    assert_eq!(registry().circuit_breaker("payments").unwrap().state(), CircuitState::Open, "five in a row");
}

#[tokio::test]
async fn a_policy_with_nothing_to_go_by_is_refused() {
    let error = configure()
        .bulkhead("payments", |b| b.max_wait(SECOND))
        .rate_limit("payments", |r| r.burst(3))
        .timeout("payments", |t| t)
        .install()
        .unwrap_err();
    let missing: Vec<_> = error.faults().iter().map(|fault| (fault.stem, fault.key)).collect();
    assert_eq!(
        missing,
        [("bulkhead", Some("max_concurrent")), ("rate_limit", Some("rate")), ("timeout", Some("limit")),],
        "{error}"
    );
    configure().bulkhead("payments", |b| b.max_wait(SECOND).enabled(false)).install().unwrap();
}

#[tokio::test]
async fn a_misspelt_name_is_told_the_nearest() {
    let error = configure().retry("paymets", |r| r).install().unwrap_err();
    assert!(error.to_string().contains("did you mean `payments`?"), "{error}");
}

#[resilient("orders")]
async fn order() -> Answer {
    run();
    Err(Fault::Failed("down"))
}

#[circuit_breaker(name = "orders", failure_threshold = 2)]
async fn cancel() -> Answer {
    Err(Fault::Failed("down"))
}

#[tokio::test(start_paused = true)]
async fn the_settings_of_an_attribute_hold_for_all_of_its_name() {
    order().await.unwrap_err();
    cancel().await.unwrap_err();
    assert!(matches!(order().await, Err(Fault::Rejected(Rejected::CircuitOpen { .. }))));
    assert_eq!(RUNS.get(), 1, "no retry: only the breaker has settings");
}

struct Shop {
    sold: u32,
}

impl Shop {
    #[fallback(value = 0)]
    #[timeout("5s")]
    #[resilient("shop", no_clone(note))]
    async fn sell(&mut self, note: Note, copies: Vec<u32>) -> Answer {
        self.sold += 1;
        drop(copies);
        RUNS.set(RUNS.get() + note.0);
        Err(Fault::Failed("down"))
    }
}

/// What cannot be cloned.
struct Note(u32);

#[tokio::test(start_paused = true)]
async fn it_stands_below_other_attributes_and_borrows_as_a_retry_does() {
    configure().retry("shop", |r| r.max(3).base(Duration::ZERO)).install().unwrap();
    let mut shop = Shop { sold: 0 };
    assert_eq!(shop.sell(Note(1), vec![1]).await.unwrap(), 0);
    assert_eq!((shop.sold, RUNS.get()), (3, 3));
}

#[resilient("search")]
#[hedge(after = "10ms")]
async fn search() -> Answer {
    if run() == 1 {
        sleep(300 * SECOND).await;
    }
    Ok(RUNS.get())
}

#[tokio::test(start_paused = true)]
async fn a_hedge_stands_below_it() {
    let began = Instant::now();
    assert_eq!(search().await.unwrap(), 2);
    assert_eq!(began.elapsed(), 10 * MILLISECOND);
}

#[tokio::test(start_paused = true)]
async fn what_is_switched_on_while_a_call_runs_concerns_the_next_one() {
    let call = tokio::spawn(charge(10 * SECOND, true));
    sleep(SECOND).await;
    configure()
        .timeout("payments", |t| t.limit(MILLISECOND))
        .bulkhead("payments", |b| b.max_concurrent(2))
        .install()
        .unwrap();
    assert!(matches!(charge(SECOND, true).await, Err(Fault::Rejected(Rejected::TimedOut { .. }))));
    call.await.unwrap().unwrap();
    configure().install().unwrap();
    charge(SECOND, true).await.unwrap();
}

#[tokio::test]
async fn the_inventory_shows_what_is_off() {
    configure().retry("payments", |r| r.max(4)).install().unwrap();
    let inventory = inventory();
    let charge = inventory.functions().iter().find(|it| it.path() == "resilient::charge").unwrap();
    let stack: Vec<_> = charge.layers().iter().map(ToString::to_string).collect();
    assert_eq!(
        stack,
        [
            "retry `payments` max = 4",
            "circuit_breaker `payments` enabled = false",
            "rate_limit `payments` enabled = false",
            "timeout `payments` enabled = false",
            "bulkhead `payments` enabled = false",
        ]
    );
}
