//! One test for each arrow of the state diagram, times and outcomes told by hand.

#![expect(clippy::panic, reason = "tests fail by panicking")]

use std::sync::Arc;
use std::time::Duration;

use super::Control;
use super::limits::{Limits, Rates};
use super::state::Machine;
use super::ticket::Outcome::{Abandoned, Failure, Ignored, Panicked, Success};
use super::ticket::{Admission, Outcome, Ticket};
use super::transition::{CircuitCause, CircuitState, Figures, Transition};
use super::window::CircuitWindow;
use crate::clock::Tick;

pub(super) const RATE: Limits =
    Limits { failure_threshold: None, rates: Some(HALF_OF_TEN), ..Limits::DEFAULT };
pub(super) const HALF_OF_TEN: Rates =
    Rates { window: CircuitWindow::Calls(10), min_calls: 4, failure_rate: Some(0.5), slow_rate: None };
pub(super) const SLOW: Limits = Limits {
    rates: Some(Rates { failure_rate: None, slow_rate: Some(0.5), ..HALF_OF_TEN }),
    slow_call: Some(Duration::from_secs(1)),
    ..Limits::DEFAULT
};

pub(super) fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A machine and the time it is told.
pub(super) struct Rig {
    pub(super) machine: Machine,
    pub(super) now: Tick,
    pub(super) last: Option<Transition>,
}

impl Rig {
    pub(super) fn new(limits: Limits) -> Self {
        let now = Tick::from_nanos(1 << 62);
        Self { machine: Machine::new(Arc::new(limits), now), now, last: None }
    }

    pub(super) fn open(limits: Limits) -> Self {
        let mut rig = Self::new(limits);
        for _ in 0..5 {
            rig.call(Failure);
        }
        assert_eq!(rig.state(), CircuitState::Open);
        rig
    }

    pub(super) fn half_open(limits: Limits) -> Self {
        let mut rig = Self::open(limits);
        rig.wait(30);
        rig
    }

    pub(super) fn state(&self) -> CircuitState {
        self.machine.report(self.now).state
    }

    pub(super) fn wait(&mut self, seconds: u64) {
        self.now = self.now.plus(secs(seconds));
    }

    pub(super) fn back(&mut self, seconds: u64) {
        self.now = Tick::from_nanos(self.now.nanos() - seconds * 1_000_000_000);
    }

    pub(super) fn admit(&mut self) -> Admission {
        let (admission, transition) = self.machine.admit(self.now);
        self.last = transition.or(self.last);
        admission
    }

    pub(super) fn enter(&mut self) -> Ticket {
        match self.admit() {
            Admission::Admitted(ticket) => ticket,
            refused @ Admission::Refused { .. } => panic!("{refused:?}"),
        }
    }

    pub(super) fn refused(&mut self) -> Option<Duration> {
        match self.admit() {
            Admission::Refused { retry_after } => retry_after,
            admitted @ Admission::Admitted(_) => panic!("{admitted:?}"),
        }
    }

    pub(super) fn end(&mut self, ticket: Ticket, outcome: Outcome) {
        self.end_slow(ticket, outcome, false);
    }

    pub(super) fn end_slow(&mut self, ticket: Ticket, outcome: Outcome, slow: bool) {
        let transition = self.machine.record(ticket, outcome, slow, || self.now);
        self.last = transition.or(self.last);
    }

    pub(super) fn call(&mut self, outcome: Outcome) {
        let ticket = self.enter();
        self.end(ticket, outcome);
    }

    pub(super) fn slow(&mut self, outcome: Outcome) {
        let ticket = self.enter();
        self.end_slow(ticket, outcome, true);
    }

    pub(super) fn by_hand(&mut self, control: Control) {
        let transition = self.machine.control(control, self.now);
        self.last = transition.or(self.last);
    }

    /// The last transition: from, to, cause.
    pub(super) fn arrow(&self) -> Option<(CircuitState, CircuitState, CircuitCause)> {
        self.last.map(|last| (last.from, last.to, last.cause))
    }
}

#[test]
fn consecutive_failures_open() {
    let mut rig = Rig::new(Limits::DEFAULT);
    for _ in 0..4 {
        rig.call(Failure);
    }
    assert_eq!((rig.state(), rig.last), (CircuitState::Closed, None));
    rig.call(Panicked);
    let last = rig.last.expect("five");
    assert_eq!(rig.arrow(), Some((CircuitState::Closed, CircuitState::Open, CircuitCause::FailureThreshold)));
    assert_eq!(
        last.figures,
        Figures { failures: 5, calls: 5, open_for: Some(secs(30)), ..Figures::default() }
    );
    assert_eq!(rig.refused(), Some(secs(30)));
}

#[test]
fn a_success_starts_the_count_again() {
    let mut rig = Rig::new(Limits::DEFAULT);
    for _ in 0..100 {
        for _ in 0..4 {
            rig.call(Failure);
        }
        assert!(rig.machine.success_matters(true));
        rig.call(Success);
        assert!(!rig.machine.success_matters(true));
    }
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn ignored_and_abandoned_calls_count_as_nothing() {
    let mut rig = Rig::new(Limits { failure_threshold: Some(2), ..Limits::DEFAULT });
    rig.call(Failure);
    for _ in 0..9 {
        rig.call(Ignored);
        rig.call(Abandoned);
    }
    assert_eq!(rig.state(), CircuitState::Closed);
    rig.call(Failure);
    assert_eq!(rig.state(), CircuitState::Open);
}

#[test]
fn abandoned_calls_may_count_as_failures() {
    let mut rig = Rig::new(Limits { abandoned_fails: true, ..Limits::DEFAULT });
    for _ in 0..5 {
        rig.call(Abandoned);
    }
    assert_eq!(rig.state(), CircuitState::Open);
}

#[test]
fn a_failure_rate_opens_once_the_minimum_is_reached() {
    let mut rig = Rig::new(RATE);
    rig.call(Failure);
    rig.call(Failure);
    assert_eq!(rig.machine.report(rig.now).figures.failure_rate, None);
    rig.call(Success);
    assert!(rig.machine.success_matters(true));
    rig.call(Success);
    assert_eq!(rig.arrow(), Some((CircuitState::Closed, CircuitState::Open, CircuitCause::FailureRate)));
    let figures = rig.last.expect("opened").figures;
    assert_eq!((figures.failures, figures.calls, figures.failure_rate), (2, 4, Some(0.5)));
}

#[test]
fn a_rate_of_one_needs_every_call_to_fail() {
    let rates = Rates { failure_rate: Some(1.0), ..HALF_OF_TEN };
    let mut rig = Rig::new(Limits { rates: Some(rates), ..RATE });
    rig.call(Success);
    for _ in 0..9 {
        rig.call(Failure);
    }
    assert_eq!(rig.state(), CircuitState::Closed);
    rig.call(Failure);
    assert_eq!(rig.state(), CircuitState::Open);
}

#[test]
fn absorbed_successes_come_before_the_failure() {
    let mut rig = Rig::new(RATE);
    rig.machine.absorb(8);
    for _ in 0..4 {
        rig.call(Failure);
    }
    assert_eq!(rig.machine.report(rig.now).figures.failure_rate, Some(0.4));
    rig.call(Failure);
    assert_eq!(rig.state(), CircuitState::Open);
}

#[test]
fn absorbed_failures_open_when_they_are_judged() {
    let window = CircuitWindow::Time(secs(10));
    let by_rate = Limits { rates: Some(Rates { window, ..HALF_OF_TEN }), ..RATE };
    for (limits, cause) in
        [(Limits::DEFAULT, CircuitCause::FailureThreshold), (by_rate, CircuitCause::FailureRate)]
    {
        let mut rig = Rig::new(limits);
        rig.machine.absorb_failures(3);
        assert_eq!(rig.machine.judge(rig.now), None);
        rig.machine.absorb_failures(5);
        let transition = rig.machine.judge(rig.now).expect("enough");
        assert_eq!((transition.to, transition.cause), (CircuitState::Open, cause));
        assert_eq!(rig.machine.judge(rig.now), None);
    }
}

#[test]
fn slow_calls_open_whether_they_fail_or_not() {
    let mut rig = Rig::new(SLOW);
    rig.call(Success);
    rig.call(Success);
    rig.slow(Failure);
    rig.slow(Success);
    assert_eq!(rig.arrow(), Some((CircuitState::Closed, CircuitState::Open, CircuitCause::SlowRate)));
    assert_eq!(rig.last.expect("opened").figures.slow_rate, Some(0.5));
}

#[test]
fn a_turning_bucket_may_open() {
    let rates = Rates { window: CircuitWindow::Time(secs(10)), ..HALF_OF_TEN };
    let mut rig = Rig::new(Limits { rates: Some(rates), ..RATE });
    rig.machine.absorb(20);
    rig.wait(9);
    for _ in 0..4 {
        rig.call(Failure);
    }
    assert_eq!(rig.state(), CircuitState::Closed);
    rig.wait(2);
    let turned = rig.machine.turn(rig.now).expect("the successes have gone");
    assert_eq!((turned.to, turned.cause), (CircuitState::Open, CircuitCause::FailureRate));
}

#[test]
fn the_open_time_ends_at_its_end() {
    let mut rig = Rig::open(Limits::DEFAULT);
    rig.wait(29);
    assert_eq!((rig.refused(), rig.state()), (Some(secs(1)), CircuitState::Open));
    rig.wait(1);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
    rig.enter();
    assert_eq!(
        rig.arrow(),
        Some((CircuitState::Open, CircuitState::HalfOpen, CircuitCause::OpenTimeElapsed))
    );
}

#[test]
fn enough_successes_of_probes_close() {
    let mut rig = Rig::half_open(Limits::DEFAULT);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
    rig.call(Success);
    assert_eq!(
        rig.arrow(),
        Some((CircuitState::HalfOpen, CircuitState::Closed, CircuitCause::ProbesSucceeded))
    );
}

#[test]
fn a_failed_probe_opens_again() {
    for outcome in [Failure, Panicked] {
        let mut rig = Rig::half_open(Limits::DEFAULT);
        rig.call(Success);
        rig.call(outcome);
        assert_eq!(
            rig.arrow(),
            Some((CircuitState::HalfOpen, CircuitState::Open, CircuitCause::ProbeFailed))
        );
        assert_eq!(rig.refused(), Some(secs(30)));
    }
}

#[test]
fn a_slow_probe_opens_again() {
    let mut rig = Rig::half_open(SLOW);
    rig.slow(Success);
    assert_eq!(rig.state(), CircuitState::Open);
}

#[test]
fn half_open_is_limited_and_says_how_long() {
    let mut rig = Rig::half_open(Limits { half_open_calls: 2, ..Limits::DEFAULT });
    rig.enter();
    rig.wait(10);
    rig.enter();
    assert_eq!(rig.refused(), Some(secs(20)));
    assert_eq!(rig.machine.report(rig.now).retry_after, Some(secs(20)));
}

#[test]
fn an_ignored_or_abandoned_probe_gives_its_place_back() {
    let mut rig = Rig::half_open(Limits::DEFAULT);
    for outcome in [Ignored, Abandoned, Ignored, Abandoned] {
        rig.call(outcome);
        assert_eq!(rig.state(), CircuitState::HalfOpen);
    }
    rig.call(Success);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn a_probe_that_outlives_its_lease_loses_its_place_but_still_counts() {
    let mut rig = Rig::half_open(Limits::DEFAULT);
    let lost = rig.enter();
    rig.wait(30);
    let second = rig.enter();
    rig.end(lost, Success);
    assert!(rig.refused().is_some(), "the second still has the place");
    rig.end(second, Success);
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn a_late_result_counts_in_no_later_state() {
    let mut rig = Rig::new(Limits::DEFAULT);
    let late: Vec<_> = (0..20).map(|_| rig.enter()).collect();
    let mut late = late.into_iter();
    for ticket in late.by_ref().take(5) {
        rig.end(ticket, Failure);
    }
    rig.end(late.next().expect("left"), Success);
    assert_eq!(rig.state(), CircuitState::Open);
    rig.wait(30);
    let probe = rig.enter();
    rig.end(late.next().expect("left"), Success);
    rig.end(late.next().expect("left"), Failure);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
    rig.end(probe, Success);
    rig.call(Success);
    late.for_each(|ticket| rig.end(ticket, Failure));
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn a_probe_of_an_earlier_episode_counts_in_no_later_one() {
    let mut rig = Rig::half_open(Limits { half_open_calls: 3, ..Limits::DEFAULT });
    let [old, older, failing] = [rig.enter(), rig.enter(), rig.enter()];
    rig.end(failing, Failure);
    rig.wait(30);
    let _running = rig.enter();
    rig.end(old, Failure);
    rig.end(older, Success);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::HalfOpen);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::Closed);
}

#[test]
fn the_open_time_grows_with_each_reopening_and_starts_again_after_closing() {
    let mut rig = Rig::open(Limits { reset_factor: 2.0, ..Limits::DEFAULT });
    let mut lengths = Vec::new();
    for _ in 0..5 {
        let left = rig.refused().expect("open");
        lengths.push(left.as_secs());
        rig.wait(left.as_secs());
        rig.call(Failure);
    }
    assert_eq!(lengths, [30, 60, 120, 240, 300]);
    rig.wait(300);
    rig.call(Success);
    rig.call(Success);
    for _ in 0..5 {
        rig.call(Failure);
    }
    assert_eq!(rig.refused(), Some(secs(30)));
}

#[test]
fn a_ramp_refuses_a_shrinking_share_while_closed() {
    let mut rig = Rig::half_open(Limits { ramp: Some(secs(10)), ..Limits::DEFAULT });
    rig.call(Success);
    rig.call(Success);
    assert_eq!(rig.state(), CircuitState::Closed);
    assert!(!rig.machine.admits_all());
    rig.wait(5);
    rig.enter();
    let passed = (0..100).filter(|_| matches!(rig.admit(), Admission::Admitted(_))).count();
    assert_eq!(passed, 50);
    rig.wait(5);
    assert!((0..100).all(|_| matches!(rig.admit(), Admission::Admitted(_))));
    assert!(rig.machine.admits_all());
}

#[test]
fn failures_during_the_ramp_open() {
    let limits = Limits { ramp: Some(secs(10)), failure_threshold: Some(1), ..Limits::DEFAULT };
    let mut rig = Rig::new(limits);
    rig.call(Failure);
    rig.wait(30);
    rig.call(Success);
    rig.call(Success);
    rig.call(Failure);
    assert_eq!(rig.refused(), Some(secs(30)));
}
