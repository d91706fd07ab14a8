//! `configure()…install()`: settings by name, and what is refused.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, CircuitState, Fault, Jitter, Rejected, Snapshot, circuit_breaker, configure, fallback,
    registry, retry, timeout,
};

const SECOND: Duration = Duration::from_secs(1);
const MILLISECOND: Duration = Duration::from_millis(1);

#[circuit_breaker(name = "shared", failure_threshold = 2)]
async fn left(ok: bool) -> Result<u32, Fault<&'static str>> {
    if ok { Ok(1) } else { Err(Fault::Failed("down")) }
}

#[circuit_breaker(name = "shared", reset_timeout = "5s")]
async fn right(ok: bool) -> Result<u32, Fault<&'static str>> {
    if ok { Ok(2) } else { Err(Fault::Failed("down")) }
}

#[retry(max = 2, base = "0s", name = "twice")]
#[timeout("2s", name = "each")]
async fn twice() -> Result<u32, Fault<&'static str>> {
    Err(Fault::Failed("no"))
}

#[fallback(value = 0)]
#[timeout("2s")]
async fn unnamed() -> Result<u32, Fault<()>> {
    std::future::pending().await
}

fn shared() -> &'static CircuitBreaker {
    registry().circuit_breaker("shared").expect("two functions use it")
}

#[tokio::test(start_paused = true)]
async fn functions_with_one_name_share_a_policy_and_its_keys() {
    left(false).await.unwrap_err();
    right(false).await.unwrap_err();
    assert_eq!(shared().state(), CircuitState::Open);
    let Err(Fault::Rejected(Rejected::CircuitOpen { name, retry_after })) = left(true).await else {
        panic!("the breaker is open")
    };
    assert_eq!((name, retry_after), ("shared", Some(5 * SECOND)), "`reset_timeout` is the other function's");
}

#[tokio::test(start_paused = true)]
async fn what_is_installed_wins_over_the_attribute() {
    configure().circuit_breaker("shared", |b| b.failure_threshold(1)).install().unwrap();
    left(false).await.unwrap_err();
    assert_eq!(shared().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_second_install_replaces_the_first_and_keeps_what_was_learned() {
    left(false).await.unwrap_err();
    configure().circuit_breaker("shared", |b| b.failure_threshold(9)).install().unwrap();
    left(false).await.unwrap_err();
    assert_eq!(shared().state(), CircuitState::Closed);
    configure().install().unwrap();
    left(false).await.unwrap_err();
    assert_eq!(
        shared().state(),
        CircuitState::Open,
        "three failures in a row are more than the attribute's two"
    );
}

#[tokio::test(start_paused = true)]
async fn later_layers_win() {
    configure()
        .circuit_breaker("shared", |b| b.failure_threshold(9))
        .circuit_breaker("shared", |b| b.failure_threshold(1))
        .install()
        .unwrap();
    left(false).await.unwrap_err();
    assert_eq!(shared().state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_stronger_layer_may_change_the_mode() {
    configure().circuit_breaker("shared", |b| b.failure_rate(0.5).window(4).min_calls(4)).install().unwrap();
    for ok in [true, true, true, false, false] {
        let _ = left(ok).await;
    }
    assert_eq!(shared().state(), CircuitState::Open, "half of the last four");
}

#[tokio::test]
async fn all_faults_are_reported_at_once_and_nothing_is_installed() {
    let error = configure()
        .circuit_breaker("shraed", |b| b.failure_threshold(1))
        .circuit_breaker("shared", |b| b.failure_threshold(0))
        .timeout("each", |t| t.limit(Duration::ZERO))
        .retry("twice", |r| r.factor(f64::NAN).max(1))
        .install()
        .unwrap_err();
    let text = error.to_string();
    assert_eq!(error.faults().len(), 4, "{text}");
    assert!(text.contains("did you mean `shared`?"), "{text}");
    assert!(text.contains("circuit_breaker.shared.failure_threshold: 0 is less than 1"), "{text}");
    assert!(text.contains("timeout.each.limit: 0ns is too short"), "{text}");
    assert!(text.contains("retry.twice.factor: NaN"), "{text}");
    assert_eq!(format!("{error:?}"), text, "a `main` that returns it shows it by its `Debug`");
    left(false).await.unwrap_err();
    assert_eq!(shared().state(), CircuitState::Closed, "nothing was installed");
}

#[tokio::test]
async fn a_word_that_is_none_is_refused_at_install() {
    let error = configure().circuit_breaker("shared", |b| b.abandoned("fail")).install().unwrap_err();
    assert!(error.to_string().contains("`fail` is none of `ignore`, `failure`"), "{error}");
}

#[tokio::test]
async fn names_that_only_code_by_hand_uses_are_declared() {
    let by_hand = || configure().circuit_breaker("by hand", |b| b.failure_threshold(1));
    by_hand().install().unwrap_err();
    by_hand().expect("by hand").install().unwrap();
    let breaker = registry().circuit_breaker("by hand").expect("declared");
    breaker.call(async { Err::<(), _>(Fault::Failed("down")) }).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test]
async fn what_only_code_by_hand_uses_goes_back_to_the_defaults_too() {
    let first = configure().circuit_breaker("by hand", |b| b.failure_threshold(1)).expect("by hand");
    first.install().unwrap();
    configure().install().unwrap();
    let breaker = registry().circuit_breaker("by hand").expect("it was declared once");
    breaker.call(async { Err::<(), _>(Fault::Failed("down")) }).await.unwrap_err();
    assert_eq!(breaker.state(), CircuitState::Closed, "the default is five");
}

#[tokio::test]
async fn every_policy_is_known_before_the_first_call() {
    let all: Vec<_> = registry().snapshots().iter().map(|s| (s.stem(), s.name())).collect();
    assert!(all.contains(&("retry", "twice")), "{all:?}");
    assert!(all.contains(&("timeout", "configure::unnamed")), "{all:?}");
    assert!(all.contains(&("fallback", "configure::unnamed")), "{all:?}");
    let functions: Vec<_> = registry().functions().iter().map(|f| f.path()).collect();
    assert!(functions.contains(&"configure::twice"), "{functions:?}");
}

#[tokio::test(start_paused = true)]
async fn an_unnamed_policy_is_configured_by_its_path() {
    assert_eq!(unnamed().await, Ok(0));
    configure().timeout("configure::unnamed", |t| t.limit(5 * SECOND)).install().unwrap();
    let start = tokio::time::Instant::now();
    assert_eq!(unnamed().await, Ok(0));
    assert_eq!(start.elapsed(), 5 * SECOND);
}

#[tokio::test]
async fn impossible_timing_is_refused_at_install() {
    let error = configure()
        .retry("twice", |r| r.max(3).base(10 * SECOND).jitter(Jitter::None).within(SECOND))
        .install()
        .unwrap_err();
    assert!(error.to_string().contains("within"), "{error}");
}

#[retry(max = 2, base = "100ms", jitter = "none", name = "inner")]
#[timeout("1s", name = "per attempt")]
async fn attempts() -> Result<u32, Fault<&'static str>> {
    Ok(1)
}

#[timeout("5s", name = "in all")]
#[retry(max = 2, base = "100ms", jitter = "none", name = "bounded")]
#[timeout("1s", name = "each of them")]
async fn bounded() -> Result<u32, Fault<&'static str>> {
    Ok(1)
}

#[tokio::test]
async fn a_total_time_that_is_too_short_for_what_it_holds_is_refused_at_install() {
    let waits = configure().timeout("in all", |t| t.limit(100 * MILLISECOND)).install().unwrap_err();
    let text = waits.to_string();
    assert_eq!(waits.faults().len(), 2, "{text}");
    assert!(text.contains("timeout.\"in all\".limit: 100ms for all of `configure::bounded`"), "{text}");
    assert!(text.contains("its retry waits at least 100ms"), "{text}");
    assert!(text.contains("each attempt may take 1s"), "{text}");
    configure().timeout("each of them", |t| t.limit(5 * SECOND)).install().unwrap_err();
    configure().timeout("per attempt", |t| t.limit(5 * SECOND)).install().unwrap();
    configure().timeout("each of them", |t| t.limit(4 * SECOND)).install().unwrap();
    assert_eq!((attempts().await, bounded().await), (Ok(1), Ok(1)));
}

#[tokio::test]
async fn one_attempt_from_configuration_switches_retries_off() {
    configure().retry("twice", |r| r.max(1)).install().unwrap();
    twice().await.unwrap_err();
    let Some(Snapshot::Timeout(each)) = registry().snapshot("timeout", "each") else { panic!("no timeout") };
    assert_eq!(each.failed, 1);
}

#[tokio::test]
async fn a_runtime_starts_with_what_was_installed_outside_of_any() {
    let ours = registry();
    let inside = std::thread::spawn(|| {
        configure()
            .circuit_breaker("outside", |b| b.failure_threshold(1))
            .expect("outside")
            .install()
            .unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { registry().circuit_breaker("outside").is_some() })
    });
    assert!(inside.join().unwrap());
    assert!(ours.circuit_breaker("outside").is_none(), "this runtime was there before");
}

mod elsewhere {
    pub(crate) struct Shop;
    pub(crate) struct Depot;
}

impl elsewhere::Shop {
    #[timeout("1s")]
    async fn stock(&self) -> Result<u32, Fault<()>> {
        Ok(1)
    }
}

impl elsewhere::Depot {
    #[timeout("2s")]
    async fn stock(&self) -> Result<u32, Fault<()>> {
        Ok(2)
    }
}

#[tokio::test]
async fn methods_written_away_from_their_type_have_names_of_their_own() {
    assert_eq!((elsewhere::Shop.stock().await, elsewhere::Depot.stock().await), (Ok(1), Ok(2)));
    configure()
        .timeout("configure::Shop::stock", |t| t.limit(SECOND))
        .timeout("configure::Depot::stock", |t| t.limit(SECOND))
        .install()
        .unwrap();
}
