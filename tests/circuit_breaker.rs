//! When a breaker opens, refuses, tries again and closes.

#![expect(clippy::expect_used, clippy::panic, reason = "tests panic on purpose and to fail")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, CircuitCause, CircuitPermit, CircuitState, CircuitWindow, Class, Classify, EventKind,
    Fault, Rejected, test_util,
};
use tokio::time::{advance, sleep};

#[derive(Clone, Debug, PartialEq)]
enum Error {
    Down,
    NotFound,
    Cancelled,
    Refused(Rejected),
}

impl From<Rejected> for Error {
    fn from(rejected: Rejected) -> Self {
        Self::Refused(rejected)
    }
}

impl Classify for Error {
    fn classify(&self) -> Class {
        match self {
            Self::Down => Class::Transient,
            Self::NotFound => Class::Permanent,
            Self::Cancelled => Class::Ignored,
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

use Error::{Cancelled, Down, NotFound};

#[expect(clippy::unused_async, reason = "it panics before it would wait")]
async fn panics() -> Result<(), Error> {
    panic!("a bug")
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn breaker() -> CircuitBreaker {
    CircuitBreaker::new("payments")
}

async fn succeed(breaker: &CircuitBreaker) -> Result<(), Error> {
    breaker.call(async { Ok(()) }).await
}

async fn fail(breaker: &CircuitBreaker, times: usize) {
    for _ in 0..times {
        let _ = breaker.call(async { Err::<(), _>(Down) }).await;
    }
}

/// Opens a breaker that five failures open.
async fn open(breaker: &CircuitBreaker) {
    fail(breaker, 5).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

async fn half_open(breaker: &CircuitBreaker) {
    open(breaker).await;
    advance(secs(30)).await;
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

async fn hint(breaker: &CircuitBreaker) -> Option<Duration> {
    match succeed(breaker).await {
        Err(Error::Refused(Rejected::CircuitOpen { name: "payments", retry_after })) => retry_after,
        other => panic!("not refused: {other:?}"),
    }
}

async fn closes_after_two_successes(breaker: &CircuitBreaker) {
    succeed(breaker).await.expect("the first probe");
    succeed(breaker).await.expect("the second probe");
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn five_failures_in_a_row_open() {
    let breaker = breaker();
    fail(&breaker, 4).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 1).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_success_between_starts_the_count_again() {
    let breaker = breaker();
    for _ in 0..50 {
        fail(&breaker, 4).await;
        succeed(&breaker).await.expect("closed");
    }
}

/// Guards against breakers that run the call and then say that they are open.
#[tokio::test(start_paused = true)]
async fn an_open_breaker_does_not_run_the_body() {
    let breaker = breaker();
    open(&breaker).await;
    for _ in 0..50 {
        let out = breaker.call(async { panic!("ran") as Result<(), Error> }).await;
        assert!(matches!(out, Err(Error::Refused(_))));
    }
    assert_eq!(breaker.snapshot().rejected, 50);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_names_the_breaker_and_the_time_left() {
    let breaker = breaker();
    open(&breaker).await;
    advance(secs(12)).await;
    assert_eq!(hint(&breaker).await, Some(secs(18)));
}

/// Guards against breakers on the wall clock, which no test can drive.
#[tokio::test(start_paused = true)]
async fn paused_time_ends_the_open_period() {
    let breaker = breaker();
    half_open(&breaker).await;
    closes_after_two_successes(&breaker).await;
}

/// Guards against a deadlock between reading the state and changing it.
#[tokio::test(start_paused = true)]
async fn the_first_recovery_does_not_deadlock() {
    let breaker = breaker();
    for _ in 0..100 {
        half_open(&breaker).await;
        closes_after_two_successes(&breaker).await;
    }
}

#[tokio::test(start_paused = true)]
async fn one_failed_probe_opens_again() {
    let breaker = breaker();
    half_open(&breaker).await;
    succeed(&breaker).await.expect("the first probe");
    fail(&breaker, 1).await;
    assert_eq!(hint(&breaker).await, Some(secs(30)));
}

#[tokio::test(start_paused = true)]
async fn permanent_errors_are_successes_and_ignored_ones_nothing() {
    let breaker = breaker().failure_threshold(2);
    for _ in 0..10 {
        let _ = breaker.call(async { Err::<(), _>(NotFound) }).await;
        let _ = breaker.call(async { Err::<(), _>(Cancelled) }).await;
    }
    fail(&breaker, 1).await;
    let _ = breaker.call(async { Err::<(), _>(Cancelled) }).await;
    fail(&breaker, 1).await;
    assert_eq!(breaker.state(), CircuitState::Open);
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.succeeded, snapshot.ignored, snapshot.failed), (10, 11, 2));
    assert_eq!(snapshot.last_error, Some(Class::Transient));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_below_is_a_failure_and_other_refusals_are_nothing() {
    let breaker = breaker().failure_threshold(1);
    for rejected in [
        Rejected::BulkheadFull { name: "reports" },
        Rejected::RateLimited { name: "reports", retry_after: None },
        Rejected::CircuitOpen { name: "below", retry_after: None },
    ] {
        let _ = breaker.call(async { Err::<(), _>(Fault::<Error>::Rejected(rejected)) }).await;
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
    let timed_out = Rejected::TimedOut { name: "reports", limit: secs(1) };
    let _ = breaker.call(async { Err::<(), _>(Error::Refused(timed_out)) }).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// Guards against windows whose counters only a change of state resets.
#[tokio::test(start_paused = true)]
async fn a_count_window_slides() {
    let breaker = breaker().failure_rate(0.5).window(10).min_calls(10);
    for _ in 0..1_000 {
        succeed(&breaker).await.expect("closed");
    }
    fail(&breaker, 4).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 1).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// Guards against a minimum that is one too high, and a decision that is one call late.
#[tokio::test(start_paused = true)]
async fn a_full_window_decides_at_once() {
    let breaker = breaker().failure_rate(0.5).window(10).min_calls(10);
    fail(&breaker, 9).await;
    assert_eq!(breaker.snapshot().failure_rate, None);
    fail(&breaker, 1).await;
    assert!(hint(&breaker).await.is_some());
}

/// The decision is taken after every outcome, also after a success that completes the minimum.
#[tokio::test(start_paused = true)]
async fn a_success_may_complete_the_minimum() {
    let breaker = breaker().failure_rate(0.5).window(10).min_calls(4);
    fail(&breaker, 2).await;
    for _ in 0..2 {
        succeed(&breaker).await.expect("still closed");
    }
    assert_eq!(breaker.state(), CircuitState::Open);
}

/// Guards against thresholds of exactly 1 that panic or never open.
#[tokio::test(start_paused = true)]
async fn a_failure_rate_of_one_opens_when_all_have_failed() {
    let breaker = breaker().failure_rate(1.0).min_calls(5).ramp(secs(1));
    fail(&breaker, 5).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_time_window_forgets() {
    let breaker = breaker().failure_rate(0.5).window(secs(10)).min_calls(4);
    fail(&breaker, 3).await;
    advance(secs(11)).await;
    fail(&breaker, 3).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
    fail(&breaker, 1).await;
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn successes_count_in_the_part_of_a_time_window_they_came_in() {
    let breaker = breaker().failure_rate(0.5).window(secs(10)).min_calls(4);
    for _ in 0..10 {
        succeed(&breaker).await.expect("closed");
    }
    advance(secs(8)).await;
    fail(&breaker, 4).await;
    assert_eq!(breaker.snapshot().failure_rate, Some(4.0 / 14.0));
    advance(secs(4)).await;
    succeed(&breaker).await.expect("the turn of the bucket shows it");
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_with_a_time_window_recovers_though_probes_take_their_time() {
    let breaker = breaker().failure_rate(0.5).window(secs(10)).min_calls(4);
    fail(&breaker, 4).await;
    advance(secs(30)).await;
    for _ in 0..2 {
        let probe = async {
            sleep(secs(1)).await;
            Ok::<_, Error>(())
        };
        breaker.call(probe).await.expect("the dependency is back");
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.snapshot().slow, 0);
}

#[tokio::test(start_paused = true)]
async fn slow_calls_open_although_they_succeed() {
    let breaker = breaker().slow_call(secs(1)).slow_rate(0.5).window(4);
    for pause in [1_000, 1_001, 1_000, 1_001] {
        let call = async {
            sleep(Duration::from_millis(pause)).await;
            Ok::<_, Error>(())
        };
        breaker.call(call).await.expect("closed");
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.snapshot().slow, 2);
}

/// Guards against judging a result by the state it lands in.
#[tokio::test(start_paused = true)]
async fn a_late_success_does_not_close_the_breaker() {
    let breaker = breaker().success_threshold(1);
    let early = [breaker.acquire(), breaker.acquire()].map(|permit| permit.expect("closed"));
    half_open(&breaker).await;
    let probe = breaker.acquire().expect("a probe");
    for permit in early {
        permit.success();
    }
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
    probe.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Guards against failures from before an outage that open a healthy breaker after it.
#[tokio::test(start_paused = true)]
async fn late_failures_do_not_open_a_recovered_breaker() {
    let breaker = breaker();
    let early: Vec<_> = (0..10).map(|_| breaker.acquire().expect("closed")).collect();
    half_open(&breaker).await;
    closes_after_two_successes(&breaker).await;
    for permit in early {
        permit.failure();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
    assert_eq!(breaker.snapshot().failed, 15);
}

/// Guards against in-flight counters that calls from before the outage take below zero.
#[tokio::test(start_paused = true)]
async fn calls_in_flight_across_an_outage_never_wedge() {
    let breaker = breaker();
    let early: Vec<_> = (0..10).map(|_| breaker.acquire().expect("closed")).collect();
    half_open(&breaker).await;
    for (number, permit) in early.into_iter().enumerate() {
        match number % 3 {
            0 => permit.success(),
            1 => permit.failure(),
            _ => drop(permit),
        }
    }
    closes_after_two_successes(&breaker).await;
}

/// Guards against probes that are cancelled and never give their place back.
#[tokio::test(start_paused = true)]
async fn cancelled_probes_give_their_place_back() {
    let breaker = breaker();
    half_open(&breaker).await;
    for _ in 0..100 {
        let probe = breaker.call(pending::<Result<(), Error>>());
        assert!(tokio::time::timeout(secs(1), probe).await.is_err());
    }
    assert_eq!(breaker.snapshot().abandoned, 100);
    closes_after_two_successes(&breaker).await;
}

/// Guards against a lock-up when the probes' results are ignored.
#[tokio::test(start_paused = true)]
async fn ignored_probes_give_their_place_back() {
    let breaker = breaker();
    half_open(&breaker).await;
    for _ in 0..100 {
        assert_eq!(breaker.call(async { Err::<(), _>(Cancelled) }).await, Err(Cancelled));
    }
    closes_after_two_successes(&breaker).await;
}

/// Guards against half-open states that nobody can leave, because their successes expire.
#[tokio::test(start_paused = true)]
async fn probes_far_apart_still_close() {
    let breaker =
        breaker().failure_rate(0.5).window(Duration::from_millis(40)).min_calls(2).success_threshold(3);
    fail(&breaker, 2).await;
    advance(secs(30)).await;
    for _ in 0..3 {
        succeed(&breaker).await.expect("a probe");
        advance(secs(60)).await;
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Guards against letting everybody in as soon as the open time is over.
#[tokio::test(start_paused = true)]
async fn half_open_admits_only_half_open_calls() {
    let breaker = Arc::new(breaker().half_open_calls(3));
    half_open(&breaker).await;
    let started = Arc::new(AtomicU32::new(0));
    let body = || {
        let started = Arc::clone(&started);
        async move {
            started.fetch_add(1, Relaxed);
            pending::<Result<(), Error>>().await
        }
    };
    let call = || {
        let (breaker, body) = (Arc::clone(&breaker), body());
        tokio::spawn(async move { breaker.call(body).await })
    };
    let calls: Vec<_> = (0..200).map(|_| call()).collect();
    sleep(Duration::from_millis(1)).await;
    assert_eq!(started.load(Relaxed), 3);
    assert_eq!(calls.iter().filter(|call| call.is_finished()).count(), 197);
    for call in calls {
        call.abort();
    }
}

#[tokio::test(start_paused = true)]
async fn half_open_and_full_says_when_the_oldest_probe_loses_its_place() {
    let breaker = breaker().half_open_timeout(secs(10));
    half_open(&breaker).await;
    let oldest = breaker.acquire().expect("a probe");
    advance(secs(4)).await;
    assert_eq!(hint(&breaker).await, Some(secs(6)));
    advance(secs(6)).await;
    let newest = breaker.acquire().expect("the oldest has lost its place");
    oldest.success();
    newest.success();
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Guards against panics that nobody counts.
#[tokio::test(start_paused = true)]
async fn a_panicking_call_counts_as_a_failure() {
    let breaker = Arc::new(breaker());
    for _ in 0..5 {
        let breaker = Arc::clone(&breaker);
        let call = tokio::spawn(async move { breaker.call(panics()).await });
        assert!(call.await.is_err_and(|error| error.is_panic()));
    }
    assert_eq!(breaker.state(), CircuitState::Open);
    assert_eq!(breaker.snapshot().panicked, 5);
}

#[tokio::test(start_paused = true)]
async fn a_panicking_probe_opens_again() {
    let breaker = Arc::new(breaker());
    half_open(&breaker).await;
    let guarded = Arc::clone(&breaker);
    let _ = tokio::spawn(async move { guarded.call(panics()).await }).await;
    assert_eq!(hint(&breaker).await, Some(secs(30)));
}

/// A call that is dropped while another's panic unwinds has not panicked itself.
#[tokio::test(start_paused = true)]
async fn a_call_dropped_by_somebody_elses_panic_is_abandoned() {
    let breaker = Arc::new(breaker().failure_threshold(1));
    let guarded = Arc::clone(&breaker);
    let task = tokio::spawn(async move {
        let mut call = Box::pin(guarded.call(pending::<Result<(), Error>>()));
        let _ = tokio::time::timeout(secs(1), &mut call).await;
        panic!("not the call's");
    });
    assert!(task.await.is_err_and(|error| error.is_panic()));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.abandoned, snapshot.panicked), (1, 0));
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_permit_held_by_code_that_panics_counts_as_a_failure() {
    let breaker = Arc::new(breaker().failure_threshold(1));
    let guarded = Arc::clone(&breaker);
    let thread = std::thread::spawn(move || {
        let _permit = guarded.acquire().expect("closed");
        panic!("a bug");
    });
    assert!(thread.join().is_err());
    assert_eq!(breaker.snapshot().panicked, 1);
    assert_eq!(breaker.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn abandoned_calls_count_as_nothing_unless_told_otherwise() {
    let ignoring = breaker();
    let counting = breaker().abandoned("failure");
    for breaker in [&ignoring, &counting] {
        for _ in 0..50 {
            let call = breaker.call(pending::<Result<(), Error>>());
            let _ = tokio::time::timeout(Duration::from_millis(1), call).await;
        }
    }
    assert_eq!(ignoring.state(), CircuitState::Closed);
    assert_eq!(counting.state(), CircuitState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_never_polled_is_not_counted() {
    let breaker = breaker();
    half_open(&breaker).await;
    for _ in 0..10 {
        drop(breaker.call(async { Ok::<_, Error>(()) }));
    }
    assert_eq!(breaker.snapshot().abandoned, 0);
    closes_after_two_successes(&breaker).await;
}

#[tokio::test(start_paused = true)]
async fn the_open_time_grows_while_it_keeps_failing() {
    let breaker = breaker().reset_factor(3.0).max_reset_timeout(secs(100));
    open(&breaker).await;
    for expected in [30, 90, 100, 100] {
        let left = hint(&breaker).await.expect("open");
        assert_eq!(left, secs(expected));
        advance(left).await;
        fail(&breaker, 1).await;
    }
    advance(secs(100)).await;
    closes_after_two_successes(&breaker).await;
    fail(&breaker, 5).await;
    assert_eq!(hint(&breaker).await, Some(secs(30)));
}

#[tokio::test(start_paused = true)]
async fn a_ramp_lets_a_growing_share_through() {
    let breaker = breaker().ramp(secs(10));
    half_open(&breaker).await;
    closes_after_two_successes(&breaker).await;
    let mut passed = Vec::new();
    for _ in 0..4 {
        let mut count = 0;
        for _ in 0..100 {
            count += u32::from(succeed(&breaker).await.is_ok());
        }
        passed.push(count);
        advance(Duration::from_millis(3_334)).await;
    }
    assert!(passed[0] <= 1 && (33..=35).contains(&passed[1]) && (66..=68).contains(&passed[2]), "{passed:?}");
    assert_eq!(passed[3], 100);
}

/// Guards against breakers that keep a record of every call, or leak one per transition.
#[tokio::test(start_paused = true)]
async fn flapping_changes_nothing_but_counters() {
    let breaker = breaker().failure_rate(0.5).window(10).min_calls(2);
    for _ in 0..1_000 {
        fail(&breaker, 2).await;
        advance(secs(30)).await;
        closes_after_two_successes(&breaker).await;
    }
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.failed, snapshot.succeeded, snapshot.rejected), (2_000, 2_000, 0));
}

/// Guards against lengths of zero that lock up, divide by zero or never recover.
#[tokio::test(start_paused = true)]
async fn zero_lengths_become_the_least_that_works() {
    let zero = Duration::ZERO;
    let breakers = [
        breaker().failure_rate(0.0).window(0).min_calls(0),
        breaker().failure_rate(f64::NAN).window(zero).min_calls(1),
        breaker().failure_threshold(0),
        breaker().slow_call(zero).window(0).failure_threshold(1),
    ];
    for breaker in breakers {
        let breaker = breaker
            .half_open_calls(0)
            .success_threshold(0)
            .half_open_timeout(zero)
            .reset_timeout(zero)
            .ramp(zero);
        fail(&breaker, 2).await;
        assert_eq!(breaker.state(), CircuitState::Open);
        advance(secs(1)).await;
        succeed(&breaker).await.expect("a probe");
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn endless_times_do_not_overflow() {
    let endless = Duration::MAX;
    let breaker =
        breaker().reset_timeout(endless).half_open_timeout(endless).ramp(endless).slow_call(endless);
    open(&breaker).await;
    advance(secs(1_000_000)).await;
    assert!(hint(&breaker).await.is_some());
}

#[tokio::test(start_paused = true)]
async fn forced_open_refuses_without_a_hint_until_resumed() {
    let breaker = breaker();
    breaker.force_open();
    advance(secs(1_000_000)).await;
    assert_eq!((hint(&breaker).await, breaker.state()), (None, CircuitState::ForcedOpen));
    breaker.resume();
    succeed(&breaker).await.expect("closed");
}

#[tokio::test(start_paused = true)]
async fn disabled_passes_and_counts_nothing() {
    let breaker = breaker();
    breaker.disable();
    fail(&breaker, 100).await;
    assert_eq!((breaker.state(), breaker.snapshot().failed), (CircuitState::Disabled, 0));
    breaker.resume();
    fail(&breaker, 4).await;
    succeed(&breaker).await.expect("closed");
}

#[tokio::test(start_paused = true)]
async fn observing_rejects_nothing_and_says_what_it_would_have_done() {
    let events = test_util::record();
    let breaker = breaker();
    breaker.observe();
    fail(&breaker, 8).await;
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.would_be), (CircuitState::Observing, CircuitState::Open));
    assert_eq!((snapshot.failed, snapshot.rejected, snapshot.would_reject), (8, 0, 3));
    breaker.resume();
    assert_eq!(
        events.words("payments"),
        ["observing", "would_change_state", "would_reject", "would_reject", "would_reject", "closed"]
    );
}

#[tokio::test(start_paused = true)]
async fn reset_closes_and_starts_counting_again() {
    let breaker = breaker();
    open(&breaker).await;
    breaker.reset();
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.failed, snapshot.last_error), (CircuitState::Closed, 0, None));
    fail(&breaker, 4).await;
    succeed(&breaker).await.expect("closed");
}

#[tokio::test(start_paused = true)]
async fn each_event_goes_on_where_the_last_one_ended() {
    let events = test_util::record();
    let breaker = breaker();
    half_open(&breaker).await;
    fail(&breaker, 1).await;
    advance(secs(30)).await;
    closes_after_two_successes(&breaker).await;
    breaker.force_open();
    breaker.disable();
    breaker.observe();
    breaker.reset();
    let mut state = CircuitState::Closed;
    for kind in events.kinds("payments") {
        let EventKind::StateChanged { from, to, .. } = kind else { continue };
        assert_eq!(from, state);
        state = to;
    }
    assert_eq!(
        events.words("payments"),
        [
            "opened",
            "half_opened",
            "opened",
            "half_opened",
            "closed",
            "forced_open",
            "disabled",
            "observing",
            "closed"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_opening_says_why() {
    let events = test_util::record();
    let breaker = breaker().failure_rate(0.5).window(10).min_calls(2);
    succeed(&breaker).await.expect("closed");
    fail(&breaker, 1).await;
    let expected = EventKind::StateChanged {
        from: CircuitState::Closed,
        to: CircuitState::Open,
        cause: CircuitCause::FailureRate,
        observed: false,
        failures: 1,
        calls: 2,
        failure_rate: Some(0.5),
        slow_rate: None,
        open_for: Some(secs(30)),
    };
    assert_eq!(events.kinds("payments"), [expected]);
}

#[tokio::test(start_paused = true)]
async fn reports_are_as_of_now() {
    let breaker = breaker();
    open(&breaker).await;
    advance(secs(31)).await;
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.time_in_state), (CircuitState::HalfOpen, secs(1)));
    let probe = breaker.acquire().expect("half-open");
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.time_in_state), (CircuitState::HalfOpen, secs(1)), "no other since");
    drop(probe);
}

#[tokio::test(start_paused = true)]
async fn permits_report_by_hand() {
    let breaker = breaker();
    for error in [Down, NotFound, Cancelled] {
        breaker.acquire().expect("closed").record(&Err::<(), _>(error));
    }
    breaker.acquire().expect("closed").ignore();
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.failed, snapshot.succeeded, snapshot.ignored), (1, 1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_may_be_a_static() {
    static BREAKER: CircuitBreaker = CircuitBreaker::new("payments")
        .failure_rate(0.5)
        .window_of(CircuitWindow::Time(secs(5)))
        .min_calls(2);
    fail(&BREAKER, 2).await;
    assert_eq!((BREAKER.name(), BREAKER.state()), ("payments", CircuitState::Open));
}

/// A breaker shared by two runtimes whose paused clocks disagree by years.
#[test]
fn a_clock_that_runs_behind_or_jumps_does_not_wedge() {
    let paused = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .expect("a runtime")
    };
    for ahead in [true, false] {
        let breaker = breaker();
        let (first, second) = (paused(), paused());
        first.block_on(async {
            advance(if ahead { secs(100_000_000) } else { secs(0) }).await;
            open(&breaker).await;
        });
        second.block_on(async {
            advance(if ahead { secs(0) } else { secs(100_000_000) }).await;
            let _ = succeed(&breaker).await;
            advance(secs(30)).await;
            closes_after_two_successes_at_most(&breaker).await;
        });
    }
}

async fn closes_after_two_successes_at_most(breaker: &CircuitBreaker) {
    let _ = succeed(breaker).await;
    let _ = succeed(breaker).await;
    assert_eq!(breaker.state(), CircuitState::Closed);
}

/// Real threads: nothing is lost, and half-open is limited among them too.
#[test]
fn threads_lose_no_outcome() {
    const THREADS: u64 = 8;
    const CALLS: u64 = 5_000;
    let breaker = breaker().failure_rate(1.0).window(1_000);
    let call = |number: u64| {
        let permit = breaker.acquire().expect("never all fail");
        if number.is_multiple_of(10) { permit.failure() } else { permit.success() }
    };
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || (thread..thread + CALLS).for_each(call));
        }
    });
    let snapshot = breaker.snapshot();
    assert_eq!(snapshot.failed, THREADS * CALLS / 10);
    assert_eq!(snapshot.succeeded, THREADS * CALLS * 9 / 10);
    assert!(snapshot.failure_rate.is_some_and(|rate| (0.0..0.5).contains(&rate)));
}

#[test]
fn threads_share_the_places_of_half_open() {
    for _ in 0..20 {
        let breaker = breaker()
            .failure_threshold(1)
            .reset_timeout(Duration::from_millis(1))
            .half_open_timeout(secs(60))
            .half_open_calls(2);
        breaker.acquire().expect("closed").failure();
        while breaker.state() != CircuitState::HalfOpen {
            std::thread::yield_now();
        }
        let line = std::sync::Barrier::new(8);
        let race = || {
            line.wait();
            let permits: Vec<_> = (0..50).filter_map(|_| breaker.acquire().ok()).collect();
            line.wait();
            permits.len()
        };
        let admitted: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(race)).collect();
            threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert_eq!(admitted, 2);
    }
}

#[test]
fn events_stay_in_order_among_threads() {
    let breaker = CircuitBreaker::new("contended").failure_threshold(1).reset_timeout(secs(3_600));
    let events = test_util::record();
    let meddle = |round: u32| match round % 4 {
        0 => breaker.force_open(),
        1 => breaker.resume(),
        2 => breaker.acquire().map_or((), CircuitPermit::failure),
        _ => breaker.reset(),
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || (thread..1_000 + thread).for_each(meddle));
        }
    });
    let mut state = CircuitState::Closed;
    for kind in events.kinds("contended") {
        let EventKind::StateChanged { from, to, .. } = kind else { continue };
        assert_eq!(from, state);
        state = to;
    }
    assert_eq!(breaker.state(), state);
}

/// Guards against places that are lost while threads drop, finish and look on.
#[test]
fn threads_that_drop_and_fail_probes_never_wedge_it() {
    let breaker = breaker().failure_threshold(2).reset_timeout(Duration::from_millis(1)).half_open_calls(2);
    let call = |round: u32| match (round % 7, breaker.acquire()) {
        (_, Err(_)) => std::thread::yield_now(),
        (0 | 1, Ok(permit)) => permit.failure(),
        (2, Ok(permit)) => permit.ignore(),
        (3, Ok(permit)) => drop(permit),
        (_, Ok(permit)) => permit.success(),
    };
    std::thread::scope(|scope| {
        for thread in 0..4 {
            scope.spawn(move || (thread..3_000 + thread).for_each(call));
        }
    });
    while breaker.state() == CircuitState::Open {
        std::thread::yield_now();
    }
    for _ in 0..2 {
        breaker.acquire().expect("all places are free").success();
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

mod by_attribute {
    use resilient_runtime::{circuit_breaker, configure, registry};

    use super::*;

    fn named(name: &str) -> &'static CircuitBreaker {
        registry().circuit_breaker(name).expect("a function uses it")
    }

    #[circuit_breaker(name = "attribute", failure_threshold = 2, reset_timeout = "10s")]
    async fn guarded(out: Result<u32, Error>) -> Result<u32, Error> {
        let value = out?;
        Ok(value)
    }

    #[tokio::test(start_paused = true)]
    async fn an_annotated_function_opens_and_recovers() {
        for _ in 0..2 {
            assert_eq!(guarded(Err(Down)).await, Err(Down));
        }
        let refused = Rejected::CircuitOpen { name: "attribute", retry_after: Some(secs(10)) };
        assert_eq!(guarded(Ok(1)).await, Err(Error::Refused(refused)));
        advance(secs(10)).await;
        for _ in 0..2 {
            assert_eq!(guarded(Ok(1)).await, Ok(1));
        }
        assert_eq!(named("attribute").state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn each_runtime_has_its_own_breakers() {
        assert_eq!(guarded(Ok(1)).await, Ok(1));
        assert_eq!(named("attribute").snapshot().succeeded, 1);
    }

    #[circuit_breaker(name = "shared", failure_threshold = 2)]
    async fn one() -> Result<(), Error> {
        Err(Down)
    }

    #[circuit_breaker(name = "shared")]
    async fn other() -> Result<(), Error> {
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn functions_that_name_one_breaker_share_it() {
        for _ in 0..2 {
            assert_eq!(one().await, Err(Down));
        }
        assert!(matches!(other().await, Err(Error::Refused(_))));
    }

    /// An error type that says nothing about itself.
    #[derive(Debug, PartialEq)]
    struct Plain(u16);

    impl From<Rejected> for Plain {
        fn from(_: Rejected) -> Self {
            Self(503)
        }
    }

    #[circuit_breaker(
        name = "predicates",
        failure_threshold = 1,
        ignore_when = |error| error.0 == 404,
        failure_when = |out| matches!(out, Err(Plain(500)) | Ok(13)),
    )]
    async fn judged(out: Result<u32, Plain>) -> Result<u32, Plain> {
        out
    }

    #[tokio::test(start_paused = true)]
    async fn predicates_judge_errors_and_values() {
        let _ = judged(Err(Plain(404))).await;
        let _ = judged(Err(Plain(400))).await;
        let _ = judged(Ok(1)).await;
        let snapshot = named("predicates").snapshot();
        assert_eq!((snapshot.ignored, snapshot.succeeded, snapshot.failed), (1, 2, 0));
        assert_eq!(judged(Ok(13)).await, Ok(13));
        assert_eq!(judged(Ok(1)).await, Err(Plain(503)));
        named("predicates").reset();
        assert_eq!(judged(Err(Plain(500))).await, Err(Plain(500)));
        assert_eq!(named("predicates").state(), CircuitState::Open);
    }

    fn confused(_: &Result<(), Plain>) -> bool {
        panic!("a bug in the predicate")
    }

    #[circuit_breaker(name = "confused", failure_threshold = 1, failure_when = confused)]
    async fn misjudged() -> Result<(), Plain> {
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_panicking_predicate_is_the_calls_panic() {
        assert!(tokio::spawn(misjudged()).await.is_err_and(|error| error.is_panic()));
        let snapshot = named("confused").snapshot();
        assert_eq!((snapshot.panicked, snapshot.state), (1, CircuitState::Open));
        advance(secs(30)).await;
        assert!(tokio::spawn(misjudged()).await.is_err(), "the probe's place was free");
        assert_eq!(named("confused").state(), CircuitState::Open);
    }

    #[circuit_breaker(name = "tenants", key = tenant, failure_threshold = 1, max_keys = 4)]
    async fn per_tenant(tenant: &str, out: Result<(), Error>) -> Result<(), Error> {
        out
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_has_a_breaker() {
        let _ = per_tenant("acme", Err(Down)).await;
        assert!(matches!(per_tenant("acme", Ok(())).await, Err(Error::Refused(_))));
        assert_eq!(per_tenant("initech", Ok(())).await, Ok(()));
        let breaker = named("tenants");
        assert_eq!(breaker.state_of("acme"), Some(CircuitState::Open));
        assert_eq!(breaker.state_of("initech"), Some(CircuitState::Closed));
        assert_eq!(breaker.state_of("nobody"), None);
        let snapshot = breaker.snapshot();
        assert_eq!((snapshot.keys, snapshot.failed, snapshot.succeeded, snapshot.rejected), (2, 1, 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn events_name_the_key() {
        let events = test_util::record();
        let _ = per_tenant("acme", Err(Down)).await;
        let keys: Vec<_> = events.events().into_iter().map(|event| event.key).collect();
        assert_eq!(keys, [Some("acme".into())]);
    }

    /// Guards against maps of breakers that only grow.
    #[tokio::test(start_paused = true)]
    async fn keys_are_bounded_and_clean_ones_make_room() {
        for number in 0..1_000 {
            assert_eq!(per_tenant(&number.to_string(), Ok(())).await, Ok(()));
        }
        let snapshot = named("tenants").snapshot();
        assert_eq!((snapshot.keys, snapshot.succeeded), (4, 1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_keys_may_be_configured_before_the_first_one() {
        configure().circuit_breaker("tenants", |b| b.max_keys(2)).install().expect("fine");
        for number in 0..10 {
            assert_eq!(per_tenant(&number.to_string(), Ok(())).await, Ok(()));
        }
        assert_eq!(named("tenants").snapshot().keys, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_have_learned_something_stay_and_new_ones_share_the_overflow() {
        for tenant in ["a", "b", "c", "d"] {
            let _ = per_tenant(tenant, Err(Down)).await;
        }
        assert_eq!(per_tenant("e", Err(Down)).await, Err(Down));
        assert!(matches!(per_tenant("f", Ok(())).await, Err(Error::Refused(_))));
        let breaker = named("tenants");
        assert_eq!((breaker.state_of("a"), breaker.state_of("e")), (Some(CircuitState::Open), None));
        breaker.reset();
        assert_eq!(per_tenant("f", Ok(())).await, Ok(()));
        assert_eq!(breaker.state_of("f"), Some(CircuitState::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_by_hand_holds_for_all_keys_and_new_ones() {
        assert_eq!(per_tenant("old", Ok(())).await, Ok(()));
        let breaker = named("tenants");
        breaker.force_open();
        for tenant in ["old", "new"] {
            assert!(matches!(per_tenant(tenant, Ok(())).await, Err(Error::Refused(_))));
        }
        breaker.resume();
        for tenant in ["old", "new"] {
            assert_eq!(per_tenant(tenant, Ok(())).await, Ok(()));
        }
    }

    #[circuit_breaker(name = "shops", key = shop, failure_threshold = 1)]
    async fn per_shop(shop: u64, out: Result<(), Error>) -> Result<(), Error> {
        out
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_may_be_an_integer() {
        let _ = per_shop(7, Err(Down)).await;
        assert!(per_shop(8, Ok(())).await.is_ok());
        assert_eq!(named("shops").state_of("7"), Some(CircuitState::Open));
    }

    #[circuit_breaker(name = "configured", failure_rate = 0.5, window = 10, min_calls = 4)]
    async fn configured(out: Result<(), Error>) -> Result<(), Error> {
        out
    }

    #[tokio::test(start_paused = true)]
    async fn a_live_breaker_keeps_what_it_has_learned() {
        for _ in 0..3 {
            let _ = configured(Err(Down)).await;
        }
        let wider = configure().circuit_breaker("configured", |b| b.window(20).reset_timeout(secs(7)));
        wider.install().expect("nothing is wrong with it");
        assert_eq!(named("configured").state(), CircuitState::Closed);
        let _ = configured(Err(Down)).await;
        let snapshot = named("configured").snapshot();
        assert_eq!((snapshot.state, snapshot.retry_after), (CircuitState::Open, Some(secs(7))));
    }

    #[tokio::test(start_paused = true)]
    async fn configuration_may_change_the_mode() {
        configure().circuit_breaker("configured", |b| b.failure_threshold(2)).install().expect("fine");
        for _ in 0..2 {
            let _ = configured(Err(Down)).await;
        }
        assert_eq!(named("configured").state(), CircuitState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn impossible_settings_are_refused_all_at_once() {
        let wrong = configure().circuit_breaker("attribute", |b| {
            b.half_open_calls(0).slow_rate(1.5).window(10).max_reset_timeout(secs(1)).abandoned("maybe")
        });
        let error = wrong.install().expect_err("much is wrong with it");
        let keys: Vec<_> = error.faults().iter().filter_map(|fault| fault.key).collect();
        for key in ["half_open_calls", "slow_rate", "max_reset_timeout", "abandoned"] {
            assert!(keys.contains(&key), "{key} in {error}");
        }
        assert_eq!(guarded(Ok(1)).await, Ok(1));
    }

    #[tokio::test(start_paused = true)]
    async fn what_would_only_be_cut_down_is_refused_too() {
        let huge = configure().circuit_breaker("configured", |b| b.window(65_537).half_open_calls(1_025));
        let error = huge.install().expect_err("nothing keeps so many");
        let keys: Vec<_> = error.faults().iter().filter_map(|fault| fault.key).collect();
        assert_eq!(keys, ["window", "half_open_calls"], "{error}");
        let large = configure().circuit_breaker("configured", |b| b.window(65_536).half_open_calls(1_024));
        large.install().expect("that many can be kept");
    }

    struct Client {
        calls: u32,
    }

    impl Client {
        #[circuit_breaker(name = "client")]
        async fn send<'a, T: Clone>(&mut self, text: &'a str, value: T) -> Result<(&'a str, T), Error> {
            self.calls += 1;
            sleep(secs(1)).await;
            if text.is_empty() {
                return Err(Down);
            }
            Ok((text, value))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_generic_method_with_borrowed_arguments_can_be_guarded() {
        let mut client = Client { calls: 0 };
        let text = String::from("hello");
        assert_eq!(client.send(&text, 1).await, Ok(("hello", 1)));
        for _ in 0..5 {
            assert_eq!(client.send("", "x").await, Err(Down));
        }
        assert!(matches!(client.send(&text, 1).await, Err(Error::Refused(_))));
        assert_eq!(client.calls, 6);
    }
}
