//! Half-open under everything that can happen to it at once: calls, drops, operators and new limits.

use std::future::{Future, pending};
use std::task::{Context, Waker};

use super::super::super::guard;
use super::*;
use crate::outcome::ByClassify;

type Part = Box<dyn FnOnce(&Engine) + Send>;

fn by_hand(control: Control) -> Part {
    Box::new(move |engine| engine.control(control))
}

fn call(verdict: Verdict) -> Part {
    Box::new(move |engine| {
        if let Ok(pass) = engine.enter() {
            engine.leave(pass, verdict);
        }
    })
}

/// It was left in a state that it tells of, and works on.
fn works(engine: &Engine) {
    assert!(engine.lock().outbox.is_empty(), "every transition was told");
    engine.control(Control::Reset);
    let ticket = engine.enter_at_once().expect("closed, and everybody sees it");
    engine.leave(Pass::untimed(ticket), Verdict::Failure(None));
    assert_eq!(engine.report().0.state, CircuitState::Open, "the next failure counts");
}

#[test]
fn three_threads_share_two_probes() {
    let verdicts = [Verdict::Success, Verdict::Abandoned, Verdict::Failure(None)];
    probing("three_threads_share_two_probes", 2, verdicts);
}

#[test]
fn three_threads_share_three_probes() {
    let verdicts = [Verdict::Success, Verdict::Panicked, Verdict::Ignored];
    probing("three_threads_share_three_probes", 3, verdicts);
}

#[test]
fn a_reset_and_a_forced_opening_race_a_closing_probe() {
    explore("a_reset_and_a_forced_opening_race_a_closing_probe", || {
        let engine = due(CircuitBreaker::new("payments").success_threshold(1));
        let probe = engine.enter().expect("a probe");
        let succeed = Box::new(move |engine: &Engine| engine.leave(probe, Verdict::Success));
        race(&engine, vec![succeed, by_hand(Control::Reset), by_hand(Control::ForceOpen)]);
        let state = engine.report().0.state;
        assert!(matches!(state, CircuitState::Closed | CircuitState::ForcedOpen), "{state}");
        assert_eq!(engine.enter().is_ok(), state == CircuitState::Closed);
        works(&engine);
    });
}

#[test]
fn a_probe_is_dropped_while_others_ask() {
    explore("a_probe_is_dropped_while_others_ask", || {
        let engine = due(CircuitBreaker::new("payments").success_threshold(3));
        let body = pending::<Result<(), std::io::Error>>();
        let mut probe = Box::pin(guard::circuit_breaker(Shared::clone(&engine), body, ByClassify));
        assert!(probe.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        race(&engine, vec![Box::new(move |_| drop(probe)), call(Verdict::Success), call(Verdict::Abandoned)]);
        assert_eq!((ended(&engine), engine.count(Tally::total, ABANDONED) > 0), (4, true), "started = ended");
        assert!(engine.enter().is_ok(), "the place is free");
        works(&engine);
    });
}

#[test]
fn new_limits_race_probes() {
    explore("new_limits_race_probes", || {
        let breaker = CircuitBreaker::new("payments").success_threshold(1);
        let engine = due(breaker);
        let more =
            CircuitBreaker::new("payments").failure_threshold(1).half_open_calls(2).success_threshold(2);
        let more = Arc::new(Limits::new(&more.written));
        let reconfigure = Box::new(move |engine: &Engine| engine.reconfigure(more));
        race(&engine, vec![reconfigure, call(Verdict::Success), call(Verdict::Success)]);
        assert_eq!(ended(&engine), 3, "started = ended");
        let probes = [(); 2].map(|()| engine.enter().expect("no place is taken"));
        probes.into_iter().for_each(|probe| engine.leave(probe, Verdict::Success));
        assert_eq!(engine.report().0.state, CircuitState::Closed);
        works(&engine);
    });
}

#[test]
fn no_call_is_lost_while_a_window_of_time_turns() {
    explore("no_call_is_lost_while_a_window_of_time_turns", || {
        let window = CircuitWindow::Time(Duration::from_secs(10));
        let breaker = CircuitBreaker::new("payments").failure_rate(0.9).window(window).min_calls(2);
        let engine = engine(&breaker);
        for verdict in [Verdict::Success, Verdict::Success] {
            call(verdict)(&engine);
        }
        let later = Box::new(|_: &Engine| NOW.set(NOW.get().plus(Duration::from_secs(1))));
        race(&engine, vec![later, call(Verdict::Success), call(Verdict::Failure(None))]);
        let (report, _) = engine.report();
        assert_eq!((report.figures.calls, report.figures.failures), (4, 1), "all are in the window");
        assert_eq!((engine.count(Tally::total, SUCCEEDED), engine.count(Tally::total, FAILED)), (3, 1));
    });
}
