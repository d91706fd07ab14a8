//! How large a breaker is, and what takes its lock.

use super::super::{CircuitBreaker, CircuitState};
use super::*;

#[test]
fn a_breaker_takes_half_a_kilobyte() {
    assert!(size_of::<Engine>() <= 512, "{}", size_of::<Engine>());
}

/// What another thread does while this one holds the machine's lock.
#[track_caller]
fn under_the_lock(engine: &Engine, calls: impl FnOnce() + Send) {
    let held = engine.lock();
    let (done, wait) = std::sync::mpsc::channel();
    let passed = std::thread::scope(|scope| {
        scope.spawn(move || {
            calls();
            let _ = done.send(());
        });
        let passed = wait.recv_timeout(Duration::from_secs(10));
        drop(held);
        passed
    });
    assert_eq!(passed, Ok(()), "a call waits for the lock");
}

/// Successes after `before`.
#[track_caller]
fn successes_under_the_lock(breaker: &CircuitBreaker, before: &[Verdict]) {
    let limits = Arc::new(Limits::new(&breaker.written));
    let engine = Engine::new("payments", None, limits, None);
    let call = |verdict| engine.leave(engine.enter().expect("closed"), verdict);
    before.iter().copied().for_each(call);
    under_the_lock(&engine, || (0..1_000).for_each(|_| call(Verdict::Success)));
    let expected = before.iter().filter(|verdict| matches!(verdict, Verdict::Success)).count() as u64;
    assert_eq!(engine.count(Tally::total, SUCCEEDED), 1_000 + expected);
}

const fn plain() -> CircuitBreaker {
    CircuitBreaker::new("payments")
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn failures_take_no_lock_until_they_open() {
    let limits = Arc::new(Limits::new(&plain().failure_threshold(3).written));
    let engine = Engine::new("payments", None, limits, None);
    let call = |verdict| engine.leave(engine.enter().expect("closed"), verdict);
    let failure = |class| Verdict::Failure(Some(class));
    under_the_lock(&engine, || {
        for _ in 0..100 {
            call(failure(Class::Transient));
            call(failure(Class::Unknown));
            call(Verdict::Success);
        }
    });
    let (report, last_error) = engine.report();
    assert_eq!((report.state, last_error), (CircuitState::Closed, Some(Class::Unknown)));
    assert_eq!((engine.count(Tally::total, SUCCEEDED), engine.count(Tally::total, FAILED)), (100, 200));
    assert!(engine.is_clean());
    let after = Some(Duration::from_secs(1));
    for class in [Class::Transient, Class::Throttled { after }, Class::Transient] {
        assert_eq!(engine.report().0.state, CircuitState::Closed);
        call(failure(class));
        assert!(!engine.is_clean());
        assert_eq!(engine.report().1, Some(class));
    }
    assert_eq!(engine.report().0.state, CircuitState::Open);
}

#[test]
fn failures_in_a_window_of_time_take_no_lock_while_there_is_room() {
    let breaker = plain().failure_rate(0.5).window(HOUR).min_calls(10);
    let engine = Engine::new("payments", None, Arc::new(Limits::new(&breaker.written)), None);
    let call = |verdict| engine.leave(engine.enter().expect("closed"), verdict);
    (0..999).for_each(|_| call(Verdict::Success));
    call(Verdict::Failure(None));
    under_the_lock(&engine, || (0..900).for_each(|_| call(Verdict::Failure(None))));
    let (report, _) = engine.report();
    assert_eq!((report.figures.calls, report.figures.failures), (1_900, 901));
    (0..97).for_each(|_| call(Verdict::Failure(None)));
    assert_eq!(engine.report().0.state, CircuitState::Closed);
    call(Verdict::Failure(None));
    assert_eq!(engine.report().0.state, CircuitState::Open, "999 of 1998");
}

#[test]
fn successes_take_no_lock_where_failures_in_a_row_decide() {
    successes_under_the_lock(&plain(), &[]);
    successes_under_the_lock(&plain(), &[Verdict::Failure(None), Verdict::Success]);
}

#[test]
fn successes_take_no_lock_where_a_window_of_calls_is_clean_or_settled() {
    let breaker = plain().failure_rate(0.5).window(20).min_calls(4);
    successes_under_the_lock(&breaker, &[]);
    let settled = [Verdict::Success, Verdict::Success, Verdict::Success, Verdict::Failure(None)];
    successes_under_the_lock(&breaker, &settled);
}

#[test]
fn successes_take_no_lock_within_a_bucket_of_a_window_of_time() {
    successes_under_the_lock(&plain().failure_rate(0.5).window(HOUR), &[Verdict::Success]);
}

#[test]
fn successes_take_no_lock_where_none_is_slow() {
    let breaker = plain().slow_call(HOUR).slow_rate(0.5);
    successes_under_the_lock(&breaker, &[]);
    successes_under_the_lock(&breaker.window(HOUR), &[]);
}
