//! Every order, within a bound, in which a few threads can meet at one breaker.

use std::collections::HashMap;

use loom::sync::Arc as Shared;
use loom::thread;

use super::super::keyed::Keys;
use super::super::window::CircuitWindow;
use super::super::{CircuitBreaker, CircuitState};
use super::*;
use crate::clock::models::NOW;
use crate::sync::explore;
use crate::tally::enter_as;

#[path = "races_of_three.rs"]
mod of_three;

const RESET_TIMEOUT: Duration = Duration::from_secs(30);
const ENDS: [usize; 6] = [SUCCEEDED, FAILED, IGNORED, ABANDONED, PANICKED, REJECTED];

fn engine(breaker: &CircuitBreaker) -> Shared<Engine> {
    Shared::new(Engine::new("payments", None, Arc::new(Limits::new(&breaker.written)), None))
}

/// Opened by one failure, and waited for.
fn due(breaker: CircuitBreaker) -> Shared<Engine> {
    let engine = engine(&breaker.failure_threshold(1).reset_timeout(RESET_TIMEOUT));
    engine.leave(engine.enter().expect("closed"), Verdict::Failure(None));
    NOW.set(NOW.get().plus(RESET_TIMEOUT));
    engine
}

/// Runs `parts` on threads that own a shard each, the last one on this thread.
fn race(engine: &Shared<Engine>, parts: Vec<Box<dyn FnOnce(&Engine) + Send>>) {
    let threads: Vec<_> = (1..)
        .zip(parts)
        .map(|(number, part)| {
            let engine = Shared::clone(engine);
            thread::spawn(move || {
                enter_as(number);
                part(&engine);
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no part panics");
    }
}

fn ended(engine: &Engine) -> u64 {
    ENDS.iter().map(|&counter| engine.count(Tally::total, counter)).sum()
}

/// Live probes by generation.
#[derive(Default)]
struct Live(std::sync::Mutex<HashMap<u32, u32>>);

impl Live {
    fn change(&self, pass: &Pass, by: i32, most: u32) {
        let mut live = self.0.lock().expect("no panic so far");
        let count = live.entry(pass.ticket.generation()).or_default();
        *count = count.checked_add_signed(by).expect("a probe ends once");
        assert!(*count <= most, "{count} probes at once in generation {}", pass.ticket.generation());
    }
}

fn probing(name: &str, places: u32, verdicts: [Verdict; 3]) {
    explore(name, move || {
        let engine = due(CircuitBreaker::new("payments").half_open_calls(places).success_threshold(3));
        let live = Arc::new(Live::default());
        let part = |verdict: Verdict| -> Box<dyn FnOnce(&Engine) + Send> {
            let live = Arc::clone(&live);
            Box::new(move |engine| {
                if let Ok(pass) = engine.enter() {
                    live.change(&pass, 1, places);
                    live.change(&pass, -1, places);
                    engine.leave(pass, verdict);
                }
            })
        };
        race(&engine, verdicts.into_iter().map(part).collect());
        assert_eq!(ended(&engine), 4, "started = ended");
        assert!(engine.lock().outbox.is_empty(), "every transition was told");
    });
}

#[test]
fn three_threads_share_one_probe() {
    probing("three_threads_share_one_probe", 1, [Verdict::Success, Verdict::Abandoned, Verdict::Success]);
}

#[test]
fn a_failing_probe_among_three() {
    probing("a_failing_probe_among_three", 1, [Verdict::Success, Verdict::Failure(None), Verdict::Panicked]);
}

fn controlled(name: &str, control: Control, check: impl Fn(&Engine) + Send + Sync + 'static) {
    explore(name, move || {
        let engine = due(CircuitBreaker::new("payments").success_threshold(1));
        let probe = engine.enter().expect("a probe");
        race(
            &engine,
            vec![
                Box::new(move |engine| engine.leave(probe, Verdict::Success)),
                Box::new(move |engine| engine.control(control)),
            ],
        );
        assert!(ended(&engine) <= 2, "{} calls ended, of two", ended(&engine));
        check(&engine);
    });
}

#[test]
fn a_reset_races_a_closing_probe() {
    controlled("a_reset_races_a_closing_probe", Control::Reset, |engine| {
        assert_eq!(engine.report().0.state, CircuitState::Closed);
        let ticket = engine.enter_at_once().expect("closed, and everybody sees it");
        engine.leave(Pass::untimed(ticket), Verdict::Failure(None));
        assert_eq!(engine.report().0.state, CircuitState::Open, "the next failure counts");
    });
}

#[test]
fn a_forced_opening_races_a_closing_probe() {
    controlled("a_forced_opening_races_a_closing_probe", Control::ForceOpen, |engine| {
        assert_eq!(engine.report().0.state, CircuitState::ForcedOpen);
        assert!(engine.enter().is_err());
        engine.control(Control::Resume);
        assert!(engine.enter_at_once().is_some());
    });
}

/// Two failures in a row open, and `other` changes nothing about that.
fn failing(name: &str, other: impl Fn(&Engine) + Copy + Send + Sync + 'static) {
    explore(name, move || {
        let engine = engine(&CircuitBreaker::new("payments").failure_threshold(2));
        let passes = [engine.enter().expect("closed"), engine.enter().expect("closed")];
        let fail = |pass| -> Box<dyn FnOnce(&Engine) + Send> {
            Box::new(move |engine| engine.leave(pass, Verdict::Failure(Some(Class::Unknown))))
        };
        let [first, second] = passes.map(fail);
        race(&engine, vec![first, second, Box::new(other)]);
        assert_eq!(engine.report(), (engine.lock().machine.report(clock::tick()), Some(Class::Unknown)));
        assert_eq!((engine.report().0.state, engine.count(Tally::total, FAILED)), (CircuitState::Open, 2));
    });
}

#[test]
fn no_failure_in_a_row_is_lost_while_somebody_looks() {
    failing("no_failure_in_a_row_is_lost_while_somebody_looks", |engine| {
        engine.report();
    });
}

#[test]
fn no_failure_in_a_row_is_lost_under_new_limits() {
    failing("no_failure_in_a_row_is_lost_under_new_limits", |engine| {
        engine.reconfigure(engine.limits());
    });
}

#[test]
fn a_success_among_failures_comes_somewhere() {
    explore("a_success_among_failures_comes_somewhere", || {
        let engine = engine(&CircuitBreaker::new("payments").failure_threshold(2));
        let passes = [engine.enter().expect("closed"), engine.enter().expect("closed")];
        let [failure, success] = passes;
        race(
            &engine,
            vec![
                Box::new(move |engine| engine.leave(failure, Verdict::Failure(None))),
                Box::new(move |engine| engine.leave(success, Verdict::Success)),
            ],
        );
        let before = engine.is_clean();
        engine.leave(engine.enter().expect("closed"), Verdict::Failure(None));
        let opened = engine.report().0.state == CircuitState::Open;
        assert_eq!(opened, !before, "the failure counted last, or it was forgotten");
    });
}

#[test]
fn no_failure_is_lost_in_a_window_of_time() {
    explore("no_failure_is_lost_in_a_window_of_time", || {
        let window = CircuitWindow::Time(Duration::from_secs(10));
        let breaker = CircuitBreaker::new("payments").failure_rate(0.9).window(window).min_calls(2);
        let engine = engine(&breaker);
        let call = |verdict: Verdict| -> Box<dyn FnOnce(&Engine) + Send> {
            Box::new(move |engine| engine.leave(engine.enter().expect("closed"), verdict))
        };
        for verdict in [Verdict::Success, Verdict::Success, Verdict::Failure(None)] {
            call(verdict)(&engine);
        }
        race(&engine, vec![call(Verdict::Failure(None)), call(Verdict::Panicked)]);
        let (report, _) = engine.report();
        assert_eq!((report.figures.calls, report.figures.failures), (5, 3));
    });
}

#[test]
fn no_failure_is_lost_when_a_window_of_time_runs_out_of_room() {
    explore("no_failure_is_lost_when_a_window_of_time_runs_out_of_room", || {
        let window = CircuitWindow::Time(Duration::from_secs(10));
        let breaker = CircuitBreaker::new("payments").failure_rate(0.5).window(window).min_calls(2);
        let engine = engine(&breaker);
        let call = |verdict: Verdict| -> Box<dyn FnOnce(&Engine) + Send> {
            Box::new(move |engine| engine.leave(engine.enter().expect("closed"), verdict))
        };
        (0..4).for_each(|_| call(Verdict::Success)(&engine));
        (0..2).for_each(|_| call(Verdict::Failure(None))(&engine));
        engine.report();
        let fail_and_look = move |engine: &Engine| {
            call(Verdict::Failure(None))(engine);
            engine.report();
        };
        race(&engine, vec![call(Verdict::Panicked), Box::new(fail_and_look)]);
        assert_eq!(engine.report().0.state, CircuitState::Open, "half of eight");
    });
}

#[test]
fn a_failure_under_new_limits_counts_by_them() {
    explore("a_failure_under_new_limits_counts_by_them", || {
        let engine = engine(&CircuitBreaker::new("payments").failure_threshold(3));
        let pass = engine.enter().expect("closed");
        engine.leave(engine.enter().expect("closed"), Verdict::Failure(None));
        let fewer = Arc::new(Limits::new(&CircuitBreaker::new("payments").failure_threshold(2).written));
        race(
            &engine,
            vec![
                Box::new(move |engine| engine.leave(pass, Verdict::Failure(None))),
                Box::new(move |engine| engine.reconfigure(fewer)),
            ],
        );
        if !engine.fast.word().has(OPEN) {
            assert_eq!(engine.lock().machine.leeway(), Some((2, 2)), "the limits came after it");
        }
    });
}

#[test]
fn no_success_is_lost_while_shards_drain() {
    explore("no_success_is_lost_while_shards_drain", || {
        let window = CircuitWindow::Calls(20);
        let breaker = CircuitBreaker::new("payments").failure_rate(0.9).window(window).min_calls(2);
        let engine = engine(&breaker);
        let call = |verdict: Verdict| -> Box<dyn FnOnce(&Engine) + Send> {
            Box::new(move |engine| engine.leave(engine.enter().expect("closed"), verdict))
        };
        call(Verdict::Success)(&engine);
        // The last thread has no shard of its own.
        race(&engine, vec![call(Verdict::Success), call(Verdict::Failure(None)), call(Verdict::Success)]);
        let (report, _) = engine.report();
        assert_eq!((report.figures.calls, report.figures.failures), (4, 1), "all are in the window");
        assert_eq!((engine.count(Tally::total, SUCCEEDED), engine.count(Tally::total, FAILED)), (3, 1));
    });
}

#[test]
fn a_total_never_goes_below_zero() {
    explore("a_total_never_goes_below_zero", || {
        let tally = Shared::new(Tally::new());
        let spawn = |number, part: fn(&Tally)| {
            let tally = Shared::clone(&tally);
            thread::spawn(move || {
                enter_as(number);
                part(&tally);
            })
        };
        let threads = [
            spawn(1, |tally| (0..2).for_each(|_| tally.add(SUCCEEDED, 1))),
            spawn(2, Tally::reset),
            spawn(3, |tally| assert!(tally.total(SUCCEEDED) <= 2, "{}", tally.total(SUCCEEDED))),
        ];
        threads.into_iter().for_each(|thread| thread.join().expect("no part panics"));
        assert_eq!(tally.sum(SUCCEEDED), 2);
    });
}

#[test]
fn an_evicted_key_leaves_its_counts() {
    explore("an_evicted_key_leaves_its_counts", || {
        let base = engine(&CircuitBreaker::new("payments").max_keys(1));
        let keys = Shared::new(Keys::new());
        let call = |number, key: &'static str| {
            let (base, keys) = (Shared::clone(&base), Shared::clone(&keys));
            thread::spawn(move || {
                enter_as(number);
                let engine = keys.get(key, &base);
                engine.leave(engine.enter().expect("closed"), Verdict::Success);
            })
        };
        let threads = [call(1, "oslo"), call(2, "rome")];
        threads.into_iter().for_each(|thread| thread.join().expect("no part panics"));
        let mut succeeded = base.count(Tally::total, SUCCEEDED);
        keys.for_each(|engine| succeeded += engine.count(Tally::total, SUCCEEDED));
        assert_eq!(succeeded, 2);
        assert!(keys.len() <= 1);
    });
}

#[test]
fn what_is_done_by_hand_reaches_the_breaker_of_all_other_keys() {
    explore("what_is_done_by_hand_reaches_the_breaker_of_all_other_keys", || {
        let base = engine(&CircuitBreaker::new("payments").max_keys(1));
        let keys = Shared::new(Keys::new());
        let oslo = keys.get("oslo", &base);
        let call = {
            let (base, keys) = (Shared::clone(&base), Shared::clone(&keys));
            thread::spawn(move || {
                enter_as(1);
                keys.get("rome", &base)
            })
        };
        base.control(Control::ForceOpen);
        keys.for_each(|engine| engine.control(Control::ForceOpen));
        let rome = call.join().expect("no part panics");
        assert_eq!([oslo, rome].map(|engine| engine.report().0.state), [CircuitState::ForcedOpen; 2]);
    });
}
