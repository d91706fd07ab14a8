//! Retries: how often, how long the waits, and what ends them.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{
    Backoff, Class, Classify, EventKind, Fault, Jitter, Rejected, Retry, RetryCause, RetryEnd, RetrySnapshot,
    Snapshot, Timeout, attempt, circuit_breaker, configure, deadline, registry, retry, test_util, timeout,
};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

/// Waits of 100 ms, exactly.
const STEADY: Retry =
    Retry::new().backoff(Backoff::Fixed).jitter(Jitter::None).base(Duration::from_millis(100)).budget("none");

#[derive(Clone, Debug, PartialEq)]
enum Failure {
    Down,
    Declined,
    NotMine,
    Busy(Option<Duration>),
    Refused(Rejected),
}

impl Classify for Failure {
    fn classify(&self) -> Class {
        match self {
            Self::Down => Class::Transient,
            Self::Declined => Class::Permanent,
            Self::NotMine => Class::Ignored,
            Self::Busy(after) => Class::Throttled { after: *after },
            Self::Refused(rejected) => rejected.classify(),
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        match self {
            Self::Refused(rejected) => Some(rejected),
            _ => None,
        }
    }
}

impl From<Rejected> for Failure {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

/// Fails with the given errors, one after the other, and notes when it was called.
struct Script {
    errors: RefCell<Vec<Failure>>,
    start: Instant,
    at: RefCell<Vec<Duration>>,
}

impl Script {
    fn new(errors: impl IntoIterator<Item = Failure>) -> Self {
        let mut errors: Vec<_> = errors.into_iter().collect();
        errors.reverse();
        Self { errors: errors.into(), start: Instant::now(), at: RefCell::default() }
    }

    fn always(error: &Failure) -> Self {
        Self::new(vec![error.clone(); 1_000])
    }

    #[expect(clippy::unused_async, reason = "an attempt that never waits")]
    async fn call(&self) -> Result<u32, Failure> {
        self.at.borrow_mut().push(self.start.elapsed());
        self.errors.borrow_mut().pop().map_or(Ok(42), Err)
    }

    fn attempts(&self) -> usize {
        self.at.borrow().len()
    }

    /// The time between one attempt and the next.
    fn waits(&self) -> Vec<Duration> {
        self.at.borrow().windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }
}

fn circuit_open(retry_after: Option<Duration>) -> Failure {
    Failure::Refused(Rejected::CircuitOpen { name: "payments", retry_after })
}

fn statistics(name: &str) -> RetrySnapshot {
    let Some(Snapshot::Retry(retry)) = registry().snapshot("retry", name) else { panic!("no retry {name}") };
    retry
}

/// A retry that counts, which those made by hand do only when they are known by name.
fn counted(name: &str, set: impl FnOnce(Retry) -> Retry) -> Retry {
    configure().retry(name, set).expect(name).install().expect("the settings are good");
    registry().retry(name).expect("it was just installed")
}

#[tokio::test(start_paused = true)]
async fn a_good_call_runs_once() {
    let script = Script::new([]);
    assert_eq!(STEADY.run(|| script.call()).await, Ok(42));
    assert_eq!(script.attempts(), 1);
    assert_eq!(script.start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn max_counts_attempts_not_retries() {
    for max in [1, 2, 3, 10] {
        let script = Script::always(&Failure::Down);
        assert_eq!(STEADY.max(max).run(|| script.call()).await, Err(Failure::Down));
        assert_eq!(script.attempts(), max as usize);
    }
}

#[tokio::test(start_paused = true)]
async fn three_attempts_are_the_default() {
    let script = Script::always(&Failure::Down);
    Retry::new().run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_first_good_attempt_ends_the_call() {
    let script = Script::new([Failure::Down]);
    assert_eq!(STEADY.run(|| script.call()).await, Ok(42));
    assert_eq!(script.attempts(), 2);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_the_last_attempt_is_the_answer() {
    let script = Script::new([Failure::Down, Failure::Busy(None), Failure::Busy(Some(MS))]);
    assert_eq!(STEADY.run(|| script.call()).await, Err(Failure::Busy(Some(MS))));
}

#[tokio::test(start_paused = true)]
async fn each_attempt_knows_its_number() {
    let seen = RefCell::new(Vec::new());
    let out = STEADY.run(|| async {
        seen.borrow_mut().push(attempt());
        sleep(MS).await;
        seen.borrow_mut().push(attempt());
        Err::<(), _>("down")
    });
    out.await.unwrap_err();
    assert_eq!(*seen.borrow(), [1, 1, 2, 2, 3, 3]);
    assert_eq!(attempt(), 1);
}

#[tokio::test(start_paused = true)]
async fn nested_retries_each_count_their_own_attempts() {
    let seen = RefCell::new(Vec::new());
    let inner = || async {
        seen.borrow_mut().push(attempt());
        Err::<(), _>("down")
    };
    let outer = STEADY.max(2).run(|| async {
        seen.borrow_mut().push(attempt() * 10);
        STEADY.max(2).run(inner).await
    });
    outer.await.unwrap_err();
    assert_eq!(*seen.borrow(), [10, 1, 2, 20, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_may_change_what_it_captures() {
    let mut count = 0;
    let out = STEADY.run(|| {
        count += 1;
        let good = count == 3;
        async move { good.then_some(()).ok_or("down") }
    });
    out.await.unwrap();
    assert_eq!(count, 3);
}

#[tokio::test(start_paused = true)]
async fn the_last_attempt_is_dropped_before_the_wait() {
    struct OnDrop<'a>(&'a Cell<Option<Instant>>);
    impl Drop for OnDrop<'_> {
        fn drop(&mut self) {
            self.0.set(Some(Instant::now()));
        }
    }
    let dropped = Cell::new(None);
    let start = Instant::now();
    let out = STEADY.max(2).run(|| async {
        if attempt() == 2 {
            assert_eq!(dropped.get(), Some(start));
            return Ok(());
        }
        let _held = OnDrop(&dropped);
        Err("down")
    });
    out.await.unwrap();
}

async fn waits_of(retry: Retry) -> Vec<Duration> {
    let script = Script::always(&Failure::Down);
    retry.budget("none").run(|| script.call()).await.unwrap_err();
    script.waits()
}

const PLAIN: Retry = Retry::new().max(5).base(MS.saturating_mul(100)).jitter(Jitter::None);

#[tokio::test(start_paused = true)]
async fn delays_follow_the_strategy() {
    let of = async |backoff| waits_of(PLAIN.backoff(backoff)).await;
    assert_eq!(of(Backoff::Fixed).await, [100, 100, 100, 100].map(|n| n * MS));
    assert_eq!(of(Backoff::Linear).await, [100, 200, 300, 400].map(|n| n * MS));
    assert_eq!(of(Backoff::Exponential).await, [100, 200, 400, 800].map(|n| n * MS));
    assert_eq!(of(Backoff::Fibonacci).await, [100, 200, 300, 500].map(|n| n * MS));
}

#[tokio::test(start_paused = true)]
async fn the_factor_sets_the_growth() {
    assert_eq!(waits_of(PLAIN.factor(3.0)).await, [100, 300, 900, 2700].map(|n| n * MS));
}

#[tokio::test(start_paused = true)]
async fn no_delay_is_longer_than_the_cap() {
    assert_eq!(waits_of(PLAIN.max_delay(250 * MS)).await, [100, 200, 250, 250].map(|n| n * MS));
}

/// Guards against adding jitter to a delay that has been capped already.
#[tokio::test(start_paused = true)]
async fn no_delay_is_longer_than_the_cap_after_jitter() {
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        for wait in waits_of(PLAIN.max(60).jitter(jitter).max_delay(300 * MS)).await {
            assert!(wait <= 301 * MS, "{jitter:?}: {wait:?}");
        }
    }
}

/// Guards against drawing once, when the policy is made, and calling that jitter.
#[tokio::test(start_paused = true)]
async fn jitter_differs_from_wait_to_wait() {
    for jitter in [Jitter::Full, Jitter::Equal] {
        let retry = PLAIN.max(20).backoff(Backoff::Fixed).jitter(jitter);
        let mut waits = waits_of(retry).await;
        waits.sort_unstable();
        waits.dedup();
        assert!(waits.len() > 5, "{jitter:?}: {waits:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn full_jitter_is_the_default() {
    let waits = waits_of(Retry::new().max(40).backoff(Backoff::Fixed)).await;
    assert!(waits.iter().any(|wait| *wait < 45 * MS), "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 101 * MS), "{waits:?}");
}

#[tokio::test(start_paused = true)]
async fn a_seed_makes_jitter_repeat() {
    test_util::seed(7);
    let one = waits_of(Retry::new().max(8)).await;
    test_util::seed(7);
    assert_eq!(waits_of(Retry::new().max(8)).await, one);
    assert_ne!(waits_of(Retry::new().max(8)).await, one);
}

#[tokio::test(start_paused = true)]
async fn a_huge_wait_overflows_nothing_and_is_waited_for() {
    let retry = Retry::new().max(50).base(Duration::MAX).factor(f64::MAX).max_delay(Duration::MAX);
    for jitter in [Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated] {
        let attempts = Cell::new(0);
        let call = retry.jitter(jitter).run(|| async {
            attempts.set(attempts.get() + 1);
            Err::<(), _>("down")
        });
        let ended = tokio::time::timeout(Duration::from_secs(60), call).await;
        assert_eq!((ended.is_err(), attempts.get()), (true, 1), "{jitter:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn settings_that_make_no_sense_make_no_panic() {
    let retry = Retry::new().max(0).factor(f64::NAN).max_delay(Duration::ZERO).within(Duration::ZERO);
    assert_eq!(retry.run(|| async { Err::<(), _>("down") }).await, Err("down"));
    let retry = Retry::new().factor(-1.0).base(MS).jitter(Jitter::Equal);
    assert_eq!(retry.run(|| async { Err::<(), _>("down") }).await, Err("down"));
}

/// There is no runtime, so a timer would panic.
#[test]
fn a_zero_delay_makes_no_timer() {
    let attempts = Cell::new(0);
    let mut call = Box::pin(STEADY.base(Duration::ZERO).run(|| async {
        attempts.set(attempts.get() + 1);
        Err::<(), _>("down")
    }));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(call.as_mut().poll(&mut context).is_ready());
    assert_eq!(attempts.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn attempts_that_never_wait_leave_room_for_other_tasks() {
    let done = Arc::new(AtomicU32::new(0));
    let other = tokio::spawn({
        let done = Arc::clone(&done);
        async move { done.store(1, Relaxed) }
    });
    let out = STEADY.base(Duration::ZERO).max(10_000).run(|| {
        let done = done.load(Relaxed) == 1;
        async move { done.then(attempt).ok_or("not yet") }
    });
    assert!(out.await.unwrap() < 10_000);
    other.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_not_retried() {
    for answer in [Failure::Declined, Failure::NotMine] {
        let script = Script::always(&answer);
        assert_eq!(STEADY.run(|| script.call()).await, Err(answer));
        assert_eq!(script.attempts(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_that_says_nothing_is_retried() {
    let attempts = Cell::new(0);
    let out = STEADY.run(|| async {
        attempts.set(attempts.get() + 1);
        Err::<(), _>(String::from("?"))
    });
    out.await.unwrap_err();
    assert_eq!(attempts.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn io_errors_are_told_apart() {
    for (kind, expected) in [(ErrorKind::ConnectionReset, 3), (ErrorKind::NotFound, 1)] {
        let attempts = Cell::new(0);
        let out = STEADY.run(|| async {
            attempts.set(attempts.get() + 1);
            Err::<(), _>(io::Error::from(kind))
        });
        assert_eq!(out.await.unwrap_err().kind(), kind);
        assert_eq!(attempts.get(), expected);
    }
}

/// Guards against a body that leaves the whole call at its first `?`.
#[tokio::test(start_paused = true)]
async fn a_question_mark_in_the_body_is_retried() {
    let attempts = Cell::new(0);
    let out = STEADY.run(|| async {
        attempts.set(attempts.get() + 1);
        let number: u32 = Err("down")?;
        Ok::<_, &str>(vec![number, Err("down")?])
    });
    out.await.unwrap_err();
    assert_eq!(attempts.get(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_predicate_decides_in_place_of_the_class() {
    let script = Script::always(&Failure::Declined);
    STEADY.when(|_: &Failure| true).run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 3);
    let script = Script::always(&Failure::Down);
    STEADY.when(|error: &Failure| *error != Failure::Down).run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_unwanted_value_is_retried() {
    let retry = STEADY.when_ok(|values: &Vec<u32>| values.is_empty());
    let out = retry.run(|| async { Ok::<_, &str>(if attempt() < 3 { vec![] } else { vec![attempt()] }) });
    assert_eq!(out.await, Ok(vec![3]));
}

#[tokio::test(start_paused = true)]
async fn the_last_unwanted_value_is_the_answer() {
    let retry = STEADY.when_ok(|_: &u32| true);
    assert_eq!(retry.run(|| async { Ok::<_, &str>(attempt()) }).await, Ok(3));
}

#[tokio::test(start_paused = true)]
#[should_panic(expected = "mine")]
async fn a_predicate_that_panics_panics_the_call() {
    let retry = STEADY.when(|_: &&str| panic!("mine"));
    let _ = retry.run(|| async { Err::<(), _>("down") }).await;
}

/// Guards against telling the hook about a hint and then not waiting for it.
#[tokio::test(start_paused = true)]
async fn a_hint_lengthens_the_wait() {
    let script = Script::always(&Failure::Busy(Some(7 * 1000 * MS)));
    STEADY.max(2).run(|| script.call()).await.unwrap_err();
    assert_eq!(script.waits(), [7 * 1000 * MS]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_never_shortens_the_wait() {
    let script = Script::always(&Failure::Busy(Some(MS)));
    STEADY.max(2).run(|| script.call()).await.unwrap_err();
    assert_eq!(script.waits(), [100 * MS]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_may_be_longer_than_the_cap_on_computed_delays() {
    let script = Script::always(&Failure::Busy(Some(900 * MS)));
    STEADY.max_delay(200 * MS).max(2).run(|| script.call()).await.unwrap_err();
    assert_eq!(script.waits(), [900 * MS]);
}

/// Guards against clamping a hint, which means to return earlier than asked.
#[tokio::test(start_paused = true)]
async fn a_hint_longer_than_allowed_ends_the_call() {
    let retry = counted("quote", |_| STEADY.max_retry_after(1000 * MS));
    let script = Script::always(&Failure::Busy(Some(1001 * MS)));
    assert_eq!(retry.run(|| script.call()).await, Err(Failure::Busy(Some(1001 * MS))));
    assert_eq!((script.attempts(), script.start.elapsed()), (1, Duration::ZERO));
    assert_eq!(statistics("quote").retry_after, 1);
    let script = Script::always(&Failure::Busy(Some(1000 * MS)));
    retry.run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 3);
}

#[tokio::test(start_paused = true)]
async fn thirty_seconds_is_the_longest_hint_by_default() {
    for (hint, attempts) in [(30_000, 3), (30_001, 1)] {
        let script = Script::always(&Failure::Busy(Some(hint * MS)));
        STEADY.run(|| script.call()).await.unwrap_err();
        assert_eq!(script.attempts(), attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_longer_than_the_time_left_ends_the_call() {
    let script = Script::always(&Failure::Busy(Some(500 * MS)));
    STEADY.within(400 * MS).run(|| script.call()).await.unwrap_err();
    assert_eq!((script.attempts(), script.start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn an_endless_hint_overflows_nothing() {
    let script = Script::always(&Failure::Busy(Some(Duration::MAX)));
    STEADY.max_retry_after(Duration::MAX).within(1000 * MS).run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_open_circuit_is_waited_out() {
    let script = Script::new([circuit_open(Some(3000 * MS))]);
    assert_eq!(STEADY.run(|| script.call()).await, Ok(42));
    assert_eq!(script.waits(), [3100 * MS]);
}

#[tokio::test(start_paused = true)]
async fn callers_that_wait_for_one_circuit_are_spread() {
    let mut waits = Vec::new();
    for _ in 0..20 {
        let script = Script::new([circuit_open(Some(3000 * MS))]);
        Retry::new().base(100 * MS).run(|| script.call()).await.unwrap();
        assert!((3000 * MS..=3101 * MS).contains(&script.waits()[0]), "{:?}", script.waits());
        waits.extend(script.waits());
    }
    waits.dedup();
    assert!(waits.len() > 5);
}

#[tokio::test(start_paused = true)]
async fn a_circuit_that_stays_open_too_long_surfaces_at_once() {
    let script = Script::always(&circuit_open(Some(201 * MS)));
    STEADY.max_delay(200 * MS).run(|| script.call()).await.unwrap_err();
    assert_eq!((script.attempts(), script.start.elapsed()), (1, Duration::ZERO));
    let script = Script::always(&circuit_open(Some(300 * MS)));
    STEADY.within(350 * MS).run(|| script.call()).await.unwrap_err();
    assert_eq!((script.attempts(), script.start.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_is_waited_out() {
    let limited = Failure::Refused(Rejected::RateLimited { name: "quotes", retry_after: Some(40 * MS) });
    let script = Script::new([limited]);
    STEADY.run(|| script.call()).await.unwrap();
    assert_eq!(script.waits(), [140 * MS]);
}

#[tokio::test(start_paused = true)]
async fn refusals_that_name_no_time_follow_the_backoff() {
    let refusals =
        [Rejected::BulkheadFull { name: "payments" }, Rejected::TimedOut { name: "payments", limit: MS }];
    for refusal in refusals {
        let script = Script::new([Failure::Refused(refusal)]);
        STEADY.run(|| script.call()).await.unwrap();
        assert_eq!(script.waits(), [100 * MS]);
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_for_nobody_knows_how_long_surface_at_once() {
    let events = test_util::record();
    let limited = Rejected::RateLimited { name: "payments", retry_after: None };
    for refusal in [circuit_open(None), Failure::Refused(limited)] {
        let script = Script::always(&refusal);
        assert_eq!(STEADY.run(|| script.call()).await, Err(refusal));
        assert_eq!((script.attempts(), script.start.elapsed()), (1, Duration::ZERO));
    }
    assert_eq!(events.words("retry"), ["retry_after"; 2]);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_neither_is_lifted() {
    struct Foreign;
    let attempts = Cell::new(0);
    let out = STEADY.run(|| async {
        attempts.set(attempts.get() + 1);
        Err::<(), _>(Fault::Failed(Foreign))
    });
    assert!(matches!(out.await, Err(Fault::Failed(Foreign))));
    assert_eq!(attempts.get(), 3);
}

/// Guards against a retry that takes its time-out for impossible and panics.
#[tokio::test(start_paused = true)]
async fn a_timeout_of_an_attempt_is_retried() {
    let timeout = Timeout::new(50 * MS);
    let start = Instant::now();
    let attempts = Cell::new(0);
    let out = STEADY.run(|| async {
        attempts.set(attempts.get() + 1);
        timeout.call(std::future::pending::<Result<(), Failure>>()).await
    });
    assert!(matches!(out.await, Err(Failure::Refused(Rejected::TimedOut { .. }))));
    assert_eq!((attempts.get(), start.elapsed()), (3, 350 * MS));
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_would_cross_the_limit_is_not_begun() {
    let script = Script::always(&Failure::Down);
    STEADY.max(100).within(250 * MS).run(|| script.call()).await.unwrap_err();
    assert_eq!((script.attempts(), script.start.elapsed()), (3, 200 * MS));
}

#[tokio::test(start_paused = true)]
async fn attempts_count_against_the_limit_too() {
    let start = Instant::now();
    let out = STEADY.max(100).within(250 * MS).run(|| async {
        sleep(100 * MS).await;
        Err::<(), _>("down")
    });
    out.await.unwrap_err();
    assert_eq!(start.elapsed(), 300 * MS);
}

#[tokio::test(start_paused = true)]
async fn a_running_attempt_is_never_cut() {
    let out = STEADY.within(50 * MS).run(|| async {
        sleep(5000 * MS).await;
        Ok::<_, &str>(42)
    });
    assert_eq!(out.await, Ok(42));
}

#[tokio::test(start_paused = true)]
async fn attempts_see_the_limit_as_their_deadline() {
    let limit = Instant::now() + 250 * MS;
    let out = STEADY.within(250 * MS).run(|| async {
        assert_eq!(deadline(), Some(limit));
        Err::<(), _>("down")
    });
    out.await.unwrap_err();
    assert_eq!(deadline(), None);
}

#[tokio::test(start_paused = true)]
async fn a_timeout_inside_is_cut_to_the_limit() {
    let start = Instant::now();
    let timeout = Timeout::new(5000 * MS);
    let out = STEADY
        .within(250 * MS)
        .run(|| async { timeout.call(std::future::pending::<Result<(), Failure>>()).await });
    out.await.unwrap_err();
    assert_eq!(start.elapsed(), 250 * MS);
}

#[tokio::test(start_paused = true)]
async fn an_enclosing_timeout_stops_waits_that_would_cross_it() {
    let script = Script::always(&Failure::Down);
    let retry = counted("quote", |_| STEADY.max(100));
    let out = Timeout::new(250 * MS).call(retry.run(|| script.call())).await;
    assert_eq!(out, Err(Failure::Down));
    assert_eq!((script.attempts(), script.start.elapsed()), (3, 200 * MS));
    assert_eq!(statistics("quote").deadline, 1);
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_call_begins_when_it_is_polled() {
    let script = Script::new([Failure::Down]);
    let call = STEADY.within(250 * MS).run(|| script.call());
    sleep(1000 * MS).await;
    assert_eq!(call.await, Ok(42));
}

const HASTY: Retry = Retry::new().base(Duration::ZERO).max(u32::MAX);

async fn retries_until_empty(retry: Retry) -> u32 {
    retry.run_reported(|| async { Err::<(), _>("down") }).await.attempts - 1
}

#[tokio::test(start_paused = true)]
async fn a_hundred_and_ten_retries_are_there_at_first() {
    assert_eq!(retries_until_empty(HASTY).await, 110);
    assert_eq!(retries_until_empty(HASTY).await, 0);
}

/// Guards against integer quotients, which let any share above a half pass as a whole.
#[tokio::test(start_paused = true)]
async fn five_calls_earn_one_retry() {
    retries_until_empty(HASTY).await;
    for _ in 0..49 {
        HASTY.run(|| async { Ok::<_, &str>(()) }).await.unwrap();
    }
    assert_eq!(retries_until_empty(HASTY).await, 10);
}

#[tokio::test(start_paused = true)]
async fn ten_retries_a_second_are_free() {
    retries_until_empty(HASTY).await;
    tokio::time::advance(500 * MS).await;
    assert_eq!(retries_until_empty(HASTY).await, 5);
    tokio::time::advance(3600 * 1000 * MS).await;
    assert_eq!(retries_until_empty(HASTY).await, 10);
}

#[tokio::test(start_paused = true)]
async fn retries_of_one_budget_share_it() {
    retries_until_empty(HASTY.budget("checkout")).await;
    assert_eq!(retries_until_empty(HASTY.budget("checkout").name("other")).await, 0);
    assert_eq!(retries_until_empty(HASTY.budget("search")).await, 110);
    assert_eq!(retries_until_empty(HASTY).await, 110);
}

#[tokio::test(start_paused = true)]
async fn no_budget_means_no_limit() {
    assert_eq!(retries_until_empty(HASTY.max(1000).budget("none")).await, 999);
}

#[tokio::test(start_paused = true)]
async fn an_empty_budget_gives_the_last_error_and_says_so() {
    let events = test_util::record();
    let retry = counted("quote", |_| HASTY);
    assert_eq!(retry.run(|| async { Err::<(), _>(attempt().to_string()) }).await, Err("111".to_owned()));
    assert_eq!(events.words("quote").last(), Some(&"budget"));
    let quote = statistics("quote");
    assert_eq!((quote.budget, quote.retries, quote.budget_left), (1, 110, Some(0)));
}

#[tokio::test(start_paused = true)]
async fn a_reset_fills_the_budget() {
    let retry = counted("quote", |_| HASTY);
    retries_until_empty(retry).await;
    registry().reset_all();
    assert_eq!(statistics("quote").retries, 0);
    assert_eq!(retries_until_empty(retry).await, 110);
}

#[tokio::test(start_paused = true)]
async fn a_hook_hears_of_each_wait_before_it() {
    let heard = RefCell::new(Vec::new());
    let start = Instant::now();
    let retry = STEADY.on_retry(|attempt, delay, cause: RetryCause<'_, &str>| {
        heard.borrow_mut().push((attempt, delay, cause.to_string(), start.elapsed()));
    });
    retry.run(|| async { Err::<(), _>("down") }).await.unwrap_err();
    let expected = [(1, 100 * MS, "down".into(), Duration::ZERO), (2, 100 * MS, "down".into(), 100 * MS)];
    assert_eq!(*heard.borrow(), expected);
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_is_none_of_the_calls_business() {
    let retry = STEADY.on_retry(|_, _, _: RetryCause<'_, &str>| panic!("mine"));
    let out = retry.run(|| async { if attempt() < 3 { Err("down") } else { Ok(attempt()) } });
    assert_eq!(out.await, Ok(3));
}

#[tokio::test(start_paused = true)]
async fn predicates_and_hook_go_together() {
    let heard = Cell::new(0);
    let retry = STEADY
        .when(|error: &&str| *error == "down")
        .when_ok(|value: &u32| *value == 0)
        .on_retry(|_, _, _: RetryCause<'_, &str>| heard.set(heard.get() + 1));
    let out = retry.run(|| async {
        match attempt() {
            1 => Err("down"),
            2 => Ok(0),
            _ => Err("gone"),
        }
    });
    assert_eq!(out.await, Err("gone"));
    assert_eq!(heard.get(), 2);
}

#[tokio::test(start_paused = true)]
async fn statistics_tell_how_calls_ended() {
    let retry = counted("quote", |_| STEADY);
    retry.run(|| async { Ok::<_, &str>(()) }).await.unwrap();
    retry.run(|| async { if attempt() == 2 { Ok(()) } else { Err("down") } }).await.unwrap();
    retry.run(|| async { Err::<(), _>("down") }).await.unwrap_err();
    retry.run(|| async { Err::<(), _>(Failure::Declined) }).await.unwrap_err();
    let quote = statistics("quote");
    assert_eq!((quote.first_try, quote.after_retry, quote.exhausted, quote.not_retryable), (1, 1, 1, 1));
    assert_eq!((quote.retries, quote.attempts()), (3, 7));
}

#[tokio::test(start_paused = true)]
async fn events_tell_what_happened() {
    let events = test_util::record();
    let script = Script::new([Failure::Down, Failure::Declined]);
    STEADY.name("quote").run(|| script.call()).await.unwrap_err();
    let expected = [
        EventKind::Retrying { attempt: 1, delay: 100 * MS, class: Some(Class::Transient) },
        EventKind::GaveUp { attempts: 2, reason: RetryEnd::NotRetryable, class: Some(Class::Permanent) },
    ];
    assert_eq!(events.kinds("quote"), expected);
    events.clear();
    let script = Script::always(&Failure::Down);
    STEADY.name("quote").run(|| script.call()).await.unwrap_err();
    assert_eq!(events.words("quote"), ["retrying", "retrying", "exhausted"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_a_wait_starts_no_further_attempt() {
    let retry = counted("quote", |_| STEADY);
    let script = Script::always(&Failure::Down);
    assert!(tokio::time::timeout(50 * MS, retry.run(|| script.call())).await.is_err());
    sleep(1000 * MS).await;
    assert_eq!(script.attempts(), 1);
    let quote = statistics("quote");
    assert_eq!((quote.abandoned, quote.retries), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_dropped_in_an_attempt_is_abandoned() {
    let retry = counted("quote", |_| STEADY);
    let call = retry.run(std::future::pending::<Result<(), &str>>);
    assert!(tokio::time::timeout(50 * MS, call).await.is_err());
    assert_eq!(statistics("quote").abandoned, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_is_none() {
    let retry = counted("quote", |_| STEADY);
    drop(retry.run(std::future::pending::<Result<(), &str>>));
    let quote = statistics("quote");
    assert_eq!((quote.abandoned, quote.attempts()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_not_retried() {
    let retry = counted("quote", |_| STEADY);
    let attempts = Arc::new(AtomicU32::new(0));
    let seen = Arc::clone(&attempts);
    let call = tokio::spawn(retry.run(move || {
        seen.fetch_add(1, Relaxed);
        async {
            assert_eq!(attempt(), 0, "mine");
            Ok::<_, &str>(())
        }
    }));
    assert!(call.await.unwrap_err().is_panic());
    assert_eq!(attempts.load(Relaxed), 1);
    assert_eq!((statistics("quote").panicked, statistics("quote").abandoned), (1, 0));
    assert_eq!(attempt(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_argument_that_panics_while_it_is_copied_is_the_calls_panic() {
    struct Torn(Arc<AtomicU32>);
    impl Clone for Torn {
        fn clone(&self) -> Self {
            assert_ne!(self.0.fetch_sub(1, Relaxed), 0, "no copy left");
            Self(Arc::clone(&self.0))
        }
    }
    #[retry(name = "torn")]
    async fn call(torn: Torn) -> Result<(), Failure> {
        drop(torn);
        Err(Failure::Down)
    }
    for copies in [0, 1, 2] {
        let torn = Torn(Arc::new(AtomicU32::new(copies)));
        tokio::spawn(call(torn)).await.unwrap_err();
    }
    let statistics = statistics("torn");
    assert_eq!((statistics.panicked, statistics.abandoned, statistics.retries), (3, 0, 3));
}

#[tokio::test(start_paused = true)]
async fn a_report_tells_attempts_and_waits() {
    let script = Script::new([Failure::Down, Failure::Busy(Some(500 * MS))]);
    let report = STEADY.run_reported(|| script.call()).await;
    assert_eq!((report.result, report.attempts, report.waited), (Ok(42), 3, 600 * MS));
}

#[tokio::test(start_paused = true)]
async fn one_attempt_switches_retries_off() {
    let retry = counted("quote", |_| STEADY.max(1));
    let script = Script::always(&Failure::Down);
    retry.run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
    assert_eq!(statistics("quote").exhausted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_the_settings_it_has_seen() {
    let retry = counted("quote", |_| STEADY.max(3));
    let script = Script::always(&Failure::Down);
    let out = retry.run(|| {
        if script.attempts() == 1 {
            counted("quote", |_| STEADY.max(9));
        }
        script.call()
    });
    out.await.unwrap_err();
    assert_eq!(script.attempts(), 3);
    let script = Script::always(&Failure::Down);
    retry.run(|| script.call()).await.unwrap_err();
    assert_eq!(script.attempts(), 9);
}

#[tokio::test(start_paused = true)]
async fn another_budget_can_be_named_later() {
    let hasty = |retry: Retry| retry.base(Duration::ZERO).max(u32::MAX);
    let retry = counted("quote", hasty);
    let until_empty = async || retry.run_reported(|| async { Err::<(), _>("down") }).await.attempts - 1;
    assert_eq!(until_empty().await, 110);
    counted("quote", |retry| hasty(retry).budget("checkout"));
    assert_eq!(until_empty().await, 110);
    counted("quote", hasty);
    assert_eq!(until_empty().await, 0);
}

#[test]
fn impossible_settings_are_refused_with_every_fault() {
    let error = configure()
        .retry("quote", |retry| retry.max(0).factor(0.5).base(Duration::from_secs(60)))
        .retry("search", |retry| retry.jitter(Jitter::None).max(5).within(100 * MS))
        .retry("ended by within", |retry| retry.jitter(Jitter::None).max(5).within(101 * MS))
        .expect("quote")
        .expect("search")
        .expect("ended by within")
        .install()
        .unwrap_err();
    let at: Vec<_> = error.faults().iter().map(|fault| (fault.name, fault.key)).collect();
    let quote = [("quote", Some("max")), ("quote", Some("factor")), ("quote", Some("base"))];
    assert_eq!(at, [&quote[..], &[("search", Some("within"))]].concat(), "{error}");
}

async fn fetch((sku, amount): (String, u32)) -> Result<String, &'static str> {
    if attempt() == 1 { Err("down") } else { Ok(sku.repeat(amount as usize)) }
}

/// Guards against attempts that move an owned argument away from the next one.
#[tokio::test(start_paused = true)]
async fn each_attempt_gets_its_own_arguments() {
    let fetch = STEADY.wrap(fetch);
    assert_eq!(fetch(("ab".into(), 2)).await.unwrap(), "abab");
    let other = fetch.clone();
    assert_eq!(tokio::spawn(other(("c".into(), 1))).await.unwrap().unwrap(), "c");
}

#[tokio::test(start_paused = true)]
async fn a_function_of_nothing_can_be_wrapped() {
    let ping = STEADY.wrap0(|| async { if attempt() == 1 { Err("down") } else { Ok(attempt()) } });
    assert_eq!(ping().await, Ok(2));
    assert_eq!(ping().await, Ok(2));
}

#[test]
fn calls_are_send_and_small() {
    fn size_of<F: Send>(future: &F) -> usize {
        size_of_val(future)
    }
    let attempt = || async {
        let data = [0_u8; 1024];
        tokio::task::yield_now().await;
        Ok::<_, &str>(data[0])
    };
    let (alone, retried) = (size_of(&attempt()), size_of(&STEADY.run(attempt)));
    assert!(retried <= alone + 192, "{retried} over {alone}");
}

// The attribute. Counters stand in the arguments, because functions have no captures.

type Count<'a> = &'a Cell<u32>;

fn bump(count: &Cell<u32>) -> u32 {
    count.set(count.get() + 1);
    count.get()
}

fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[retry(base = "0s")]
async fn with_question_mark(count: Count<'_>) -> Result<u32, std::num::ParseIntError> {
    bump(count);
    let number = parse("many")?;
    Ok(number + 1)
}

#[retry(base = "0s")]
async fn with_question_mark_in_a_macro(count: Count<'_>) -> Result<Vec<u32>, std::num::ParseIntError> {
    bump(count);
    Ok(vec![1, parse("many")?])
}

#[retry(base = "0s")]
async fn with_question_mark_in_a_closure(count: Count<'_>) -> Result<u32, std::num::ParseIntError> {
    bump(count);
    let twice = |text| Ok::<_, std::num::ParseIntError>(parse(text)? * 2);
    twice("many")
}

#[retry(base = "0s")]
async fn with_return(count: Count<'_>) -> Result<u32, &'static str> {
    if bump(count) < 20 {
        return Err("down");
    }
    Ok(1)
}

/// Guards against a body that is part of the loop, so that `?` and `return` leave both.
#[tokio::test(start_paused = true)]
async fn every_way_out_of_the_body_is_retried() {
    let count = Cell::new(0);
    with_question_mark(&count).await.unwrap_err();
    with_question_mark_in_a_macro(&count).await.unwrap_err();
    with_question_mark_in_a_closure(&count).await.unwrap_err();
    with_return(&count).await.unwrap_err();
    assert_eq!(count.get(), 12);
}

#[retry(max = 4, base = "0s")]
async fn consuming(
    text: String,
    (left, mut right): (u32, Vec<u32>),
    mut limit: u32,
) -> Result<String, Vec<u32>> {
    limit += 1;
    right.push(left + limit);
    if attempt() == 4 { Ok(text) } else { Err(right) }
}

/// Guards against arguments that the first attempt moves away, and against what one attempt
/// does to its arguments leaking into the next.
#[tokio::test(start_paused = true)]
async fn each_attempt_of_a_function_gets_its_own_arguments() {
    assert_eq!(consuming("teapot".into(), (1, vec![7]), 2).await.unwrap(), "teapot");
}

struct NotClone(u32);

#[retry(base = "0s", no_clone(thing))]
async fn borrowing(thing: NotClone) -> Result<u32, &'static str> {
    if attempt() == 3 { Ok(thing.0) } else { Err("down") }
}

#[tokio::test(start_paused = true)]
async fn an_argument_that_is_only_borrowed_need_not_be_clone() {
    assert_eq!(borrowing(NotClone(7)).await, Ok(7));
}

struct Client {
    calls: u32,
}

impl Client {
    #[retry(base = "0s")]
    async fn count(&mut self, by: &u32) -> Result<u32, &'static str> {
        self.calls += by;
        if self.calls < 6 { Err("down") } else { Ok(self.calls) }
    }

    #[retry(base = "0s")]
    async fn generic<T: Clone, const N: usize>(&self, value: T) -> Result<[T; N], &'static str> {
        if attempt() < 3 { Err("down") } else { Ok(std::array::from_fn(|_| value.clone())) }
    }
}

#[tokio::test(start_paused = true)]
async fn methods_and_generics_are_retried() {
    let mut client = Client { calls: 0 };
    assert_eq!(client.count(&2).await, Ok(6));
    assert_eq!(client.generic::<_, 2>("x").await, Ok(["x", "x"]));
}

#[retry(backoff = "fixed", jitter = "none", base = "100ms", max = 2)]
async fn scripted(script: &Script) -> Result<u32, Failure> {
    script.call().await
}

#[retry(backoff = "fixed", jitter = "none", when = |error| *error == Failure::Declined)]
async fn only_declined(script: &Script) -> Result<u32, Failure> {
    script.call().await
}

#[tokio::test(start_paused = true)]
async fn the_class_of_an_error_is_found_without_a_bound() {
    let script = Script::always(&Failure::Declined);
    scripted(&script).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
    let script = Script::always(&Failure::Busy(Some(700 * MS)));
    scripted(&script).await.unwrap_err();
    assert_eq!(script.waits(), [700 * MS]);
    let script = Script::new([circuit_open(Some(3000 * MS))]);
    scripted(&script).await.unwrap();
    assert_eq!(script.waits(), [3100 * MS]);
}

#[tokio::test(start_paused = true)]
async fn the_predicate_of_an_attribute_decides_alone() {
    let script = Script::always(&Failure::Declined);
    only_declined(&script).await.unwrap_err();
    assert_eq!(script.attempts(), 3);
    let script = Script::always(&Failure::Down);
    only_declined(&script).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
}

thread_local! {
    static HEARD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn hear<E: std::fmt::Display>(attempt: u32, delay: Duration, cause: RetryCause<'_, E>) {
    HEARD.with_borrow_mut(|heard| heard.push(format!("{attempt} {delay:?} {cause}")));
}

#[retry(base = "10ms", jitter = "none", max = 5, when_ok = Vec::is_empty, on_retry = hear)]
#[timeout("1s")]
async fn watched() -> Result<Vec<u32>, Fault<String>> {
    match attempt() {
        1 => Err(Fault::Failed("down".into())),
        2 => Ok(vec![]),
        3 => std::future::pending().await,
        last => Ok(vec![last]),
    }
}

#[tokio::test(start_paused = true)]
async fn the_hook_of_an_attribute_hears_of_errors_values_and_refusals() {
    let start = Instant::now();
    assert_eq!(watched().await, Ok(vec![4]));
    assert_eq!(start.elapsed(), 1070 * MS);
    let heard = HEARD.take();
    assert_eq!(heard[..2], ["1 10ms down", "2 20ms unwanted value"]);
    assert!(heard[2].starts_with("3 40ms `") && heard[2].ends_with("timed out after 1s"), "{}", heard[2]);
}

#[timeout("250ms")]
#[retry(max = 3, backoff = "fixed", jitter = "none", base = "100ms")]
async fn in_all(script: &Script) -> Result<u32, Failure> {
    sleep(60 * MS).await;
    script.call().await
}

#[tokio::test(start_paused = true)]
async fn no_wait_is_begun_that_the_timeout_around_it_would_cut() {
    let script = Script::always(&Failure::Down);
    assert_eq!(in_all(&script).await, Err(Failure::Down));
    assert_eq!((script.attempts(), script.start.elapsed()), (2, 220 * MS));
}

#[retry(backoff = "fixed", jitter = "none", base = "100ms", max = 10)]
#[circuit_breaker(name = "flaky", failure_threshold = 2, reset_timeout = "1s", success_threshold = 1)]
async fn behind_a_breaker(script: &Script) -> Result<u32, Failure> {
    script.call().await
}

#[tokio::test(start_paused = true)]
async fn the_breaker_below_tells_how_long_it_is_open() {
    let script = Script::new([Failure::Down, Failure::Down]);
    assert_eq!(behind_a_breaker(&script).await, Ok(42));
    // Two failures open it; its refusal is waited out together with a base.
    assert_eq!(script.waits(), [100 * MS, 1100 * MS]);
}

#[retry(max = 2, base = "0s")]
async fn outer(count: Count<'_>) -> Result<u32, &'static str> {
    bump(count);
    inner(count).await
}

#[retry(max = 3, base = "0s")]
async fn inner(count: Count<'_>) -> Result<u32, &'static str> {
    count.set(count.get() + 10 * attempt());
    Err("down")
}

#[tokio::test(start_paused = true)]
async fn retried_functions_that_call_each_other_count_apart() {
    let count = Cell::new(0);
    outer(&count).await.unwrap_err();
    assert_eq!(count.get(), 2 * (1 + 10 + 20 + 30));
}

#[retry(name = "shared", base = "0s")]
async fn one() -> Result<(), &'static str> {
    Err("down")
}

#[retry(name = "shared")]
async fn another() -> Result<(), &'static str> {
    Err("down")
}

#[tokio::test(start_paused = true)]
async fn functions_that_name_one_retry_share_it_and_others_do_not() {
    one().await.unwrap_err();
    another().await.unwrap_err();
    with_return(&Cell::new(0)).await.unwrap_err();
    assert_eq!(statistics("shared").exhausted, 2);
    assert_eq!(statistics("retry::with_return").exhausted, 1);
    assert_eq!(statistics("retry::inner").exhausted, 0);
    assert_eq!(statistics("retry::Client::count").attempts(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_retry_is_tuned_by_the_name_of_its_function() {
    configure().retry("retry::scripted", |retry| retry.max(5)).install().unwrap();
    let script = Script::always(&Failure::Down);
    scripted(&script).await.unwrap_err();
    assert_eq!(script.waits(), vec![100 * MS; 4]);
    configure().retry("retry::scripted", |retry| retry.max(1)).install().unwrap();
    let script = Script::always(&Failure::Down);
    scripted(&script).await.unwrap_err();
    assert_eq!(script.attempts(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_function_is_abandoned() {
    let script = Script::always(&Failure::Down);
    assert!(tokio::time::timeout(50 * MS, scripted(&script)).await.is_err());
    sleep(1000 * MS).await;
    assert_eq!((script.attempts(), statistics("retry::scripted").abandoned), (1, 1));
}

async fn large() -> Result<u8, &'static str> {
    let data = [0_u8; 1024];
    tokio::task::yield_now().await;
    data.first().copied().ok_or("down")
}

#[retry]
async fn large_retried() -> Result<u8, &'static str> {
    large().await
}

#[test]
fn a_retried_function_is_hardly_larger_than_its_body() {
    fn size_of<F: Send>(future: &F) -> usize {
        size_of_val(future)
    }
    let (alone, retried) = (size_of(&async { large().await }), size_of(&large_retried()));
    assert!(retried <= alone + 64, "{retried} over {alone}");
}

#[tokio::test(start_paused = true)]
async fn what_is_set_on_a_named_retry_holds_for_that_value_only() {
    #[retry(max = 5, base = "0s", name = "five")]
    async fn five() -> Result<(), &'static str> {
        Err("down")
    }
    let named = registry().retry("five").unwrap();
    let attempts =
        |retry: Retry| async move { retry.run_reported(|| async { Err::<(), _>("down") }).await.attempts };
    assert_eq!(attempts(named.max(2)).await, 2);
    assert_eq!(attempts(named).await, 5, "the policy is as it was");
    five().await.unwrap_err();
    assert_eq!(statistics("five").exhausted, 3, "all of them are its calls");
}
