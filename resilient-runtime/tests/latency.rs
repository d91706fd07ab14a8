//! How long calls take, by how they end.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the guarded code of users sleeps")]

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Once;
use std::task::{Context, Waker};
use std::time::Duration;

use futures_util::FutureExt as _;
use resilient_runtime::{
    CallOutcome, Fault, Latency, LatencySnapshot, circuit_breaker, configure, fallback, registry, timeout,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Measures all functions but one, for all tests of this program.
fn measure() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        configure().latency(true).latency_of("latency::unmeasured", false).install().unwrap();
    });
}

fn of(function: &str) -> LatencySnapshot {
    registry().latency(&format!("latency::{function}")).unwrap()
}

/// How many ended in each way.
fn counts(function: &str) -> [u64; 6] {
    CallOutcome::ALL.map(|outcome| of(function).of(outcome).count())
}

#[circuit_breaker(name = "ends", failure_threshold = 1000)]
#[timeout("1s", name = "ends")]
async fn ends(how: CallOutcome) -> Result<(), Fault<()>> {
    tokio::time::sleep(ms(20)).await;
    match how {
        CallOutcome::Ok => Ok(()),
        CallOutcome::Error => Err(Fault::Failed(())),
        CallOutcome::Panicked => panic!("as it was told"),
        _ => std::future::pending().await,
    }
}

#[tokio::test(start_paused = true)]
async fn calls_are_told_apart_by_how_they_end() {
    measure();
    assert_eq!(counts("ends"), [0; 6], "reported before the first call");
    ends(CallOutcome::Ok).await.unwrap();
    ends(CallOutcome::Error).await.unwrap_err();
    ends(CallOutcome::TimedOut).await.unwrap_err();
    AssertUnwindSafe(ends(CallOutcome::Panicked)).catch_unwind().await.unwrap_err();
    tokio::time::timeout(ms(300), ends(CallOutcome::Abandoned)).await.unwrap_err();
    let breaker = registry().circuit_breaker("ends").unwrap();
    breaker.force_open();
    ends(CallOutcome::Ok).await.unwrap_err();
    breaker.resume();
    assert_eq!(counts("ends"), [1; 6]);
    let took = of("ends");
    let longest = |outcome| took.of(outcome).quantile(1.0).unwrap();
    assert!(longest(CallOutcome::Rejected) < ms(1));
    for (outcome, millis) in [
        (CallOutcome::Ok, 20),
        (CallOutcome::Error, 20),
        (CallOutcome::Panicked, 20),
        (CallOutcome::Abandoned, 300),
        (CallOutcome::TimedOut, 1_000),
    ] {
        let took = longest(outcome);
        assert!(took >= ms(millis) && took <= ms(millis + 12), "{outcome:?} took {took:?}");
    }
    assert_eq!(took.all().count(), 6);
    assert!(took.all().sum() >= ms(1_360));
}

#[timeout("1s")]
async fn never() -> Result<(), Fault<()>> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn a_call_that_never_began_is_none() {
    measure();
    drop(never());
    {
        let mut call = pin!(never());
        assert!(call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    assert_eq!(counts("never"), [0, 0, 0, 0, 1, 0]);
}

#[timeout("1h")]
async fn lasts(time: Duration) -> Result<(), Fault<()>> {
    // No timer's rounding: the clock itself moves.
    tokio::time::advance(time).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn bounds_are_exact_and_quantiles_good_to_two_digits() {
    measure();
    for millis in 1..=1_000 {
        lasts(ms(millis)).await.unwrap();
    }
    lasts(ms(5) + Duration::from_nanos(1)).await.unwrap();
    let all = of("lasts");
    let took: &Latency = all.of(CallOutcome::Ok);
    let up_to = LatencySnapshot::BOUNDS.map(|bound| took.at_most(bound));
    assert_eq!(up_to, [5, 11, 26, 51, 76, 101, 251, 501, 751, 1_001, 1_001, 1_001, 1_001, 1_001]);
    assert_eq!(LatencySnapshot::BOUNDS[0], ms(5));
    assert_eq!(LatencySnapshot::BOUNDS[13], ms(10_000));
    for (q, millis) in [(0.5, 500), (0.9, 900), (0.99, 990), (1.0, 1_000)] {
        let found = took.quantile(q).unwrap();
        assert!(found.abs_diff(ms(millis)) <= ms(millis) / 100 + ms(1), "{q}: {found:?}");
    }
    let near = took.at_most(ms(333));
    assert!((330..=337).contains(&near), "{near}");
    assert_eq!(took.sum(), ms(500_500 + 5) + Duration::from_nanos(1));
    assert_eq!(took.at_most(Duration::MAX), took.count());
    assert_eq!(Latency::default().quantile(0.5), None);
    let shortest = took.quantile(0.0);
    assert_eq!((took.quantile(-1.0), took.quantile(f64::NAN)), (shortest, shortest));
    assert_eq!(took.quantile(f64::INFINITY), took.quantile(1.0));
}

#[fallback(value = ())]
async fn ages() -> Result<(), Fault<()>> {
    tokio::time::advance(Duration::from_secs(400 * 24 * 60 * 60)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_call_longer_than_any_bound_counts_as_one() {
    measure();
    ages().await.unwrap();
    let took = of("ages");
    let took = took.of(CallOutcome::Ok);
    assert_eq!((took.count(), took.at_most(ms(10_000))), (1, 0));
    assert_eq!(took.sum().as_secs(), 400 * 24 * 60 * 60);
    assert!(took.quantile(0.5).unwrap() >= Duration::from_secs(60 * 60));
}

#[timeout("1s")]
async fn unmeasured() -> Result<(), Fault<()>> {
    Ok(())
}

#[tokio::test]
async fn a_function_can_be_left_out() {
    measure();
    unmeasured().await.unwrap();
    assert!(registry().latency("latency::unmeasured").is_none());
    assert!(registry().latencies().iter().all(|it| it.function != "latency::unmeasured"));
}

#[test]
fn a_path_that_no_function_has_is_a_fault() {
    let error = configure().latency_of("latency::unmesured", true).install().unwrap_err().to_string();
    let fault = "latency.\"latency::unmesured\": no guarded function has this path; did you mean `latency::unmeasured`?";
    assert!(error.contains(fault), "{error}");
    let error = configure().latency_of("unmeasured", true).install().unwrap_err().to_string();
    assert!(error.contains("did you mean `latency::unmeasured`?"), "{error}");
}

#[timeout("1s")]
async fn busy() -> Result<(), Fault<()>> {
    Ok(())
}

#[test]
fn no_call_is_lost_among_many_threads_and_readers() {
    measure();
    std::thread::scope(|scope| {
        for _ in 0..24 {
            scope.spawn(|| (0..2_000).for_each(|_| busy().now_or_never().unwrap().unwrap()));
        }
        scope.spawn(|| (0..200).for_each(|_| assert!(of("busy").all().count() <= 48_000)));
    });
    let took = of("busy");
    let took = took.of(CallOutcome::Ok);
    assert_eq!((took.count(), took.at_most(ms(10_000))), (48_000, 48_000));
}

#[timeout("1s")]
async fn quick() -> Result<(), Fault<()>> {
    Ok(())
}

#[test]
fn what_has_been_measured_before_allocates_nothing() {
    measure();
    let call = || (0..1_000).for_each(|_| quick().now_or_never().unwrap().unwrap());
    let first = allocation_counter::measure(call);
    assert!(first.bytes_max <= 32 * 1_024, "{first:?}");
    // A slower call than any before may need room for longer times.
    assert!(allocation_counter::measure(call).count_total <= 4);
}
