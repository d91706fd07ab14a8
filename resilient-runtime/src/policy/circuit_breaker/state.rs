//! The machine of a breaker: outcomes and times in, decisions and transitions out.
//!
//! No clock, lock, thread or event is in here; `mod.rs` puts them around it.

use std::sync::Arc;
use std::time::Duration;

use super::limits::Limits;
use super::probes::{LAST_PROBE, Probes, Ramp};
use super::ticket::{Admission, Outcome, Ticket};
use super::transition::{CircuitCause, CircuitState, Control, Figures, Report, Transition};
use super::window::{Sum, Window, share};
use crate::clock::Tick;

#[derive(Debug)]
pub(super) struct Machine {
    /// Shared by the breakers of all keys.
    limits: Arc<Limits>,
    phase: Phase,
    hand: Hand,
    generation: u32,
    since: Tick,
    /// When `hand` was last changed.
    held_since: Tick,
    /// Recoveries that failed since it was last closed.
    reopened: u32,
    window: Option<Window>,
    probes: Probes,
}

#[derive(Debug)]
enum Phase {
    Closed { failures: u32, ramp: Option<Ramp> },
    Open { length: Duration },
    HalfOpen,
}

impl Phase {
    const CLEAN: Self = Self::Closed { failures: 0, ramp: None };

    const fn state(&self) -> CircuitState {
        match self {
            Self::Closed { .. } => CircuitState::Closed,
            Self::Open { .. } => CircuitState::Open,
            Self::HalfOpen => CircuitState::HalfOpen,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hand {
    Off,
    ForcedOpen,
    Disabled,
    Observing,
}

impl Machine {
    pub(super) fn new(limits: Arc<Limits>, now: Tick) -> Self {
        let window = limits.rates.map(|rates| Window::new(rates.window, now));
        Self {
            limits,
            phase: Phase::CLEAN,
            hand: Hand::Off,
            generation: 0,
            since: now,
            held_since: now,
            reopened: 0,
            window,
            probes: Probes::default(),
        }
    }

    /// Decides about one call.
    pub(super) fn admit(&mut self, now: Tick) -> (Admission, Option<Transition>) {
        match self.hand {
            Hand::ForcedOpen => return (Admission::Refused { retry_after: None }, None),
            Hand::Disabled => return (Admission::Admitted(Ticket::UNCOUNTED), None),
            Hand::Off | Hand::Observing => {}
        }
        // A transition that lies ahead was made by another clock.
        self.since = self.since.min(now);
        match &mut self.phase {
            Phase::Closed { ramp, .. } => {
                let over = self.limits.ramp.unwrap_or_default();
                match ramp.as_mut().and_then(|ramp| ramp.admit(now, over)) {
                    Some(false) => return (Admission::Refused { retry_after: None }, None),
                    Some(true) => {}
                    None => *ramp = None,
                }
                (Admission::Admitted(Ticket::closed(self.generation)), None)
            }
            Phase::Open { length } => {
                let left = length.saturating_sub(now.since(self.since));
                if !left.is_zero() {
                    return (Admission::Refused { retry_after: Some(left) }, None);
                }
                let transition = self.half_open(now);
                (self.probe(now), Some(transition))
            }
            Phase::HalfOpen => (self.probe(now), None),
        }
    }

    fn probe(&mut self, now: Tick) -> Admission {
        match self.probes.admit(now, self.limits.half_open_calls, self.limits.half_open_timeout) {
            Ok(number) => Admission::Admitted(Ticket::new(self.generation, number)),
            Err(wait) => Admission::Refused { retry_after: Some(wait) },
        }
    }

    /// Takes fast successes that were counted elsewhere since the last call.
    pub(super) fn absorb(&mut self, successes: u64) {
        if let (Phase::Closed { .. }, Some(window)) = (&self.phase, &mut self.window) {
            window.succeed(successes);
        }
    }

    /// Takes the outcome of a call; `now` is asked for only where it matters.
    pub(super) fn record(
        &mut self,
        ticket: Ticket,
        outcome: Outcome,
        slow: bool,
        now: impl Fn() -> Tick,
    ) -> Option<Transition> {
        if ticket.generation() != self.generation || ticket.place() > LAST_PROBE {
            return None;
        }
        self.probes.leave(ticket.place());
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Failure | Outcome::Panicked => true,
            Outcome::Abandoned if self.limits.abandoned_fails => true,
            Outcome::Abandoned | Outcome::Ignored => return None,
        };
        match self.phase {
            Phase::Closed { .. } => self.count(failed, slow, now),
            Phase::Open { .. } => None,
            Phase::HalfOpen => self.probed(failed || slow, now),
        }
    }

    fn count(&mut self, failed: bool, slow: bool, now: impl Fn() -> Tick) -> Option<Transition> {
        if self.turns_at().is_some() {
            let transition = self.turn(now());
            if transition.is_some() {
                return transition;
            }
        }
        if let Phase::Closed { failures, .. } = &mut self.phase {
            let counts = failed && self.limits.failure_threshold.is_some();
            *failures = if counts { failures.saturating_add(1) } else { 0 };
        }
        if let Some(window) = &mut self.window {
            window.push(failed, slow);
        }
        self.tripped().map(|cause| self.open(cause, now()))
    }

    /// Moves a window of time on, which may show that too much has failed.
    pub(super) fn turn(&mut self, now: Tick) -> Option<Transition> {
        let Phase::Closed { .. } = self.phase else { return None };
        if !self.window.as_mut()?.turn(now) {
            return None;
        }
        self.tripped_by_rate().map(|cause| self.open(cause, now))
    }

    fn probed(&mut self, failed: bool, now: impl Fn() -> Tick) -> Option<Transition> {
        if failed {
            self.reopened = self.reopened.saturating_add(1);
            return Some(self.open(CircuitCause::ProbeFailed, now()));
        }
        if self.probes.succeed() < self.limits.success_threshold {
            return None;
        }
        let now = now();
        let from = self.phase.state();
        let calls = u64::from(self.probes.succeeded());
        self.clear(now);
        if self.limits.ramp.is_some() {
            self.phase = Phase::Closed { failures: 0, ramp: Some(Ramp::new(now)) };
        }
        let figures = Figures { calls, ..Figures::default() };
        Some(self.transition(from, CircuitCause::ProbesSucceeded, figures))
    }

    fn open(&mut self, cause: CircuitCause, now: Tick) -> Transition {
        let from = self.phase.state();
        let length = self.limits.open_for(self.reopened);
        let mut figures = Figures { failures: 1, calls: 1, ..Figures::default() };
        if from == CircuitState::Closed {
            figures = self.figures(cause, now);
        }
        figures.open_for = Some(length);
        self.phase = Phase::Open { length };
        self.enter(now);
        self.transition(from, cause, figures)
    }

    fn half_open(&mut self, now: Tick) -> Transition {
        let from = self.phase.state();
        self.phase = Phase::HalfOpen;
        self.probes.restart();
        self.enter(now);
        self.transition(from, CircuitCause::OpenTimeElapsed, Figures::default())
    }

    /// Closed, knowing nothing.
    fn clear(&mut self, now: Tick) {
        self.phase = Phase::CLEAN;
        self.reopened = 0;
        if let Some(window) = &mut self.window {
            window.clear(now);
        }
        self.enter(now);
    }

    fn enter(&mut self, now: Tick) {
        self.since = now;
        self.generation = self.generation.wrapping_add(1);
    }

    fn transition(&self, from: CircuitState, cause: CircuitCause, figures: Figures) -> Transition {
        let observed = self.hand == Hand::Observing;
        Transition { from, to: self.phase.state(), cause, observed, figures }
    }

    fn tripped(&self) -> Option<CircuitCause> {
        let Phase::Closed { failures, .. } = self.phase else { return None };
        match self.limits.failure_threshold {
            Some(threshold) if failures >= threshold => Some(CircuitCause::FailureThreshold),
            _ => self.tripped_by_rate(),
        }
    }

    fn tripped_by_rate(&self) -> Option<CircuitCause> {
        let (rates, sum) = (self.limits.rates?, self.window.as_ref()?.sum());
        let (failure_rate, slow_rate) = self.rates(sum);
        let reaches = |rate: Option<f64>, limit: Option<f64>| matches!((rate, limit), (Some(rate), Some(limit)) if rate >= limit);
        if reaches(failure_rate, rates.failure_rate) {
            return Some(CircuitCause::FailureRate);
        }
        reaches(slow_rate, rates.slow_rate).then_some(CircuitCause::SlowRate)
    }

    /// Shares of failures and of slow calls, unknown below the minimum.
    fn rates(&self, sum: Sum) -> (Option<f64>, Option<f64>) {
        let enough = |rates: &super::limits::Rates| sum.calls >= u64::from(rates.min_calls.max(1));
        if !self.limits.rates.as_ref().is_some_and(enough) {
            return (None, None);
        }
        (Some(share(sum.failures, sum.calls)), self.limits.slow_call.map(|_| share(sum.slow, sum.calls)))
    }

    fn figures(&self, cause: CircuitCause, now: Tick) -> Figures {
        let sum = self.window.as_ref().map(|window| window.sum_at(now)).unwrap_or_default();
        let (failure_rate, slow_rate) = self.rates(sum);
        let (mut failures, mut calls) = (sum.failures, sum.calls);
        if let (Phase::Closed { failures: run, .. }, CircuitCause::FailureThreshold) = (&self.phase, cause) {
            (failures, calls) = (u64::from(*run), u64::from(*run));
        }
        Figures { failures, calls, failure_rate, slow_rate, open_for: None }
    }

    /// The state that was last entered, whatever time it is.
    const fn state(&self) -> CircuitState {
        match self.hand {
            Hand::Off => self.phase.state(),
            Hand::ForcedOpen => CircuitState::ForcedOpen,
            Hand::Disabled => CircuitState::Disabled,
            Hand::Observing => CircuitState::Observing,
        }
    }

    /// Everything as of `now`, though nobody called since something was due.
    pub(super) fn report(&self, now: Tick) -> Report {
        let limits = &self.limits;
        let mut time = now.since(self.since);
        let (would_be, mut retry_after) = match self.phase {
            Phase::Closed { .. } => (CircuitState::Closed, None),
            Phase::Open { length } if time >= length => {
                time = time.saturating_sub(length);
                (CircuitState::HalfOpen, None)
            }
            Phase::Open { length } => (CircuitState::Open, Some(length.saturating_sub(time))),
            Phase::HalfOpen => {
                let wait = self.probes.wait(now, limits.half_open_calls, limits.half_open_timeout);
                (CircuitState::HalfOpen, wait)
            }
        };
        let mut state = would_be;
        if self.hand != Hand::Off {
            (state, time, retry_after) = (self.state(), now.since(self.held_since), None);
        }
        let figures = self.figures(CircuitCause::FailureRate, now);
        Report { state, would_be, time_in_state: time, retry_after, figures }
    }

    /// Does what somebody asked for.
    pub(super) fn control(&mut self, control: Control, now: Tick) -> Option<Transition> {
        let from = self.state();
        let hand = match control {
            Control::ForceOpen => Hand::ForcedOpen,
            Control::Disable => Hand::Disabled,
            Control::Observe => Hand::Observing,
            Control::Resume | Control::Reset => Hand::Off,
        };
        let keeps = match control {
            Control::ForceOpen | Control::Disable => hand == self.hand,
            Control::Observe => true,
            Control::Resume => self.hand == Hand::Off || self.is_observed_closed(),
            Control::Reset => false,
        };
        if !keeps {
            self.clear(now);
        }
        if hand != self.hand {
            (self.hand, self.held_since) = (hand, now);
        }
        let to = self.state();
        let transition = Transition {
            from,
            to,
            cause: CircuitCause::Manual,
            observed: false,
            figures: Figures::default(),
        };
        (from != to).then_some(transition)
    }

    fn is_observed_closed(&self) -> bool {
        self.hand == Hand::Observing && matches!(self.phase, Phase::Closed { .. })
    }

    /// Goes by other limits from now on, and keeps what it has learned where the window allows.
    pub(super) fn reconfigure(&mut self, limits: Arc<Limits>, now: Tick) {
        match (&mut self.window, limits.rates) {
            (Some(window), Some(rates)) => window.reshape(rates.window, now),
            (window, rates) => *window = rates.map(|rates| Window::new(rates.window, now)),
        }
        if let (Phase::Closed { failures, .. }, None) = (&mut self.phase, limits.failure_threshold) {
            *failures = 0;
        }
        self.limits = limits;
    }

    /// Whether nothing is lost when it is forgotten.
    pub(super) fn is_clean(&self, now: Tick) -> bool {
        let clean = self.window.as_ref().is_none_or(|window| window.sum_at(now).is_clean());
        clean && self.hand == Hand::Off && matches!(self.phase, Phase::Closed { failures: 0, ramp: None })
    }

    /// Puts another breaker under the same hand.
    pub(super) const fn held_by(&self) -> Option<Control> {
        match self.hand {
            Hand::Off => None,
            Hand::ForcedOpen => Some(Control::ForceOpen),
            Hand::Disabled => Some(Control::Disable),
            Hand::Observing => Some(Control::Observe),
        }
    }

    pub(super) const fn has_window(&self) -> bool {
        self.window.is_some()
    }

    pub(super) const fn limits(&self) -> &Arc<Limits> {
        &self.limits
    }

    pub(super) const fn generation(&self) -> u32 {
        self.generation
    }

    /// Whether every call passes and is counted, without asking.
    pub(super) const fn admits_all(&self) -> bool {
        matches!(self.phase, Phase::Closed { ramp: None, .. })
            && matches!(self.hand, Hand::Off | Hand::Observing)
    }

    /// Whether a refused call runs all the same.
    pub(super) const fn only_observes(&self) -> bool {
        matches!(self.hand, Hand::Observing)
    }

    /// From when until when it is open.
    pub(super) fn refuses(&self) -> Option<(Tick, Tick)> {
        match (self.hand, &self.phase) {
            (Hand::Off, Phase::Open { length }) => Some((self.since, self.since.plus(*length))),
            _ => None,
        }
    }

    /// Whether a fast success has to be told at once, or may wait to be absorbed.
    pub(super) fn success_matters(&self) -> bool {
        let Phase::Closed { failures, .. } = self.phase else { return true };
        if failures > 0 {
            return true;
        }
        let (Some(rates), Some(window)) = (self.limits.rates, &self.window) else { return false };
        let sum = window.sum();
        let settled = sum.calls >= u64::from(rates.min_calls) && self.tripped_by_rate().is_none();
        !sum.is_clean() && !settled
    }

    /// When a window of time has to be moved on, and until then successes may wait.
    pub(super) fn turns_at(&self) -> Option<Tick> {
        self.window.as_ref().and_then(Window::turns_at)
    }
}

#[cfg(test)]
#[expect(clippy::panic, reason = "tests fail by panicking")]
mod tests {
    use Control::{Disable, ForceOpen, Observe, Reset, Resume};
    use Outcome::{Abandoned, Failure, Ignored, Panicked, Success};

    use super::super::limits::Rates;
    use super::super::window::CircuitWindow;
    use super::*;

    const RATE: Limits = Limits { failure_threshold: None, rates: Some(HALF_OF_TEN), ..Limits::DEFAULT };
    const HALF_OF_TEN: Rates =
        Rates { window: CircuitWindow::Calls(10), min_calls: 4, failure_rate: Some(0.5), slow_rate: None };
    const SLOW: Limits = Limits {
        rates: Some(Rates { failure_rate: None, slow_rate: Some(0.5), ..HALF_OF_TEN }),
        slow_call: Some(Duration::from_secs(1)),
        ..Limits::DEFAULT
    };

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A machine and the time it is told.
    struct Rig {
        machine: Machine,
        now: Tick,
        last: Option<Transition>,
    }

    impl Rig {
        fn new(limits: Limits) -> Self {
            let now = Tick::from_nanos(1 << 62);
            Self { machine: Machine::new(Arc::new(limits), now), now, last: None }
        }

        fn open(limits: Limits) -> Self {
            let mut rig = Self::new(limits);
            for _ in 0..5 {
                rig.call(Failure);
            }
            assert_eq!(rig.state(), CircuitState::Open);
            rig
        }

        fn half_open(limits: Limits) -> Self {
            let mut rig = Self::open(limits);
            rig.wait(30);
            rig
        }

        fn state(&self) -> CircuitState {
            self.machine.report(self.now).state
        }

        fn wait(&mut self, seconds: u64) {
            self.now = self.now.plus(secs(seconds));
        }

        fn back(&mut self, seconds: u64) {
            self.now = Tick::from_nanos(self.now.nanos() - seconds * 1_000_000_000);
        }

        fn admit(&mut self) -> Admission {
            let (admission, transition) = self.machine.admit(self.now);
            self.last = transition.or(self.last);
            admission
        }

        fn enter(&mut self) -> Ticket {
            match self.admit() {
                Admission::Admitted(ticket) => ticket,
                refused @ Admission::Refused { .. } => panic!("{refused:?}"),
            }
        }

        fn refused(&mut self) -> Option<Duration> {
            match self.admit() {
                Admission::Refused { retry_after } => retry_after,
                admitted @ Admission::Admitted(_) => panic!("{admitted:?}"),
            }
        }

        fn end(&mut self, ticket: Ticket, outcome: Outcome) {
            self.end_slow(ticket, outcome, false);
        }

        fn end_slow(&mut self, ticket: Ticket, outcome: Outcome, slow: bool) {
            let transition = self.machine.record(ticket, outcome, slow, || self.now);
            self.last = transition.or(self.last);
        }

        fn call(&mut self, outcome: Outcome) {
            let ticket = self.enter();
            self.end(ticket, outcome);
        }

        fn slow(&mut self, outcome: Outcome) {
            let ticket = self.enter();
            self.end_slow(ticket, outcome, true);
        }

        fn by_hand(&mut self, control: Control) {
            let transition = self.machine.control(control, self.now);
            self.last = transition.or(self.last);
        }

        /// The last transition: from, to, cause.
        fn arrow(&self) -> Option<(CircuitState, CircuitState, CircuitCause)> {
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
        assert_eq!(
            rig.arrow(),
            Some((CircuitState::Closed, CircuitState::Open, CircuitCause::FailureThreshold))
        );
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
            assert!(rig.machine.success_matters());
            rig.call(Success);
            assert!(!rig.machine.success_matters());
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
        assert!(rig.machine.success_matters());
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

    #[test]
    fn a_clock_behind_the_last_transition_starts_the_open_time_anew() {
        let mut rig = Rig::open(Limits::DEFAULT);
        rig.back(1_000_000);
        assert_eq!(rig.refused(), Some(secs(30)));
        rig.wait(30);
        rig.enter();
    }

    #[test]
    fn a_clock_behind_the_probes_starts_their_lease_anew() {
        let mut rig = Rig::half_open(Limits::DEFAULT);
        rig.enter();
        rig.back(1_000_000);
        assert_eq!(rig.refused(), Some(secs(30)));
        rig.wait(30);
        rig.enter();
    }

    #[test]
    fn a_clock_that_jumps_ends_the_open_time() {
        let mut rig = Rig::open(Limits::DEFAULT);
        rig.wait(10 * 365 * 86_400);
        rig.call(Success);
        rig.call(Success);
        assert_eq!(rig.state(), CircuitState::Closed);
    }

    #[test]
    fn forced_open_refuses_until_resumed() {
        let mut rig = Rig::new(Limits::DEFAULT);
        let running = rig.enter();
        rig.by_hand(ForceOpen);
        assert_eq!(rig.arrow(), Some((CircuitState::Closed, CircuitState::ForcedOpen, CircuitCause::Manual)));
        rig.wait(1_000_000);
        assert_eq!((rig.refused(), rig.state()), (None, CircuitState::ForcedOpen));
        rig.by_hand(Resume);
        for _ in 0..9 {
            rig.end(running, Failure);
        }
        assert_eq!(rig.state(), CircuitState::Closed);
        rig.enter();
    }

    #[test]
    fn disabled_passes_and_counts_nothing() {
        let mut rig = Rig::open(Limits::DEFAULT);
        rig.by_hand(Disable);
        assert_eq!(rig.arrow(), Some((CircuitState::Open, CircuitState::Disabled, CircuitCause::Manual)));
        let Admission::Admitted(ticket) = rig.admit() else { panic!("disabled") };
        rig.end(ticket, Failure);
        rig.by_hand(Resume);
        assert_eq!(rig.state(), CircuitState::Closed);
    }

    #[test]
    fn observing_goes_through_the_states_and_says_so() {
        let mut rig = Rig::new(Limits::DEFAULT);
        rig.by_hand(Observe);
        for _ in 0..5 {
            rig.call(Failure);
        }
        assert!(rig.last.expect("would have opened").observed);
        let report = rig.machine.report(rig.now);
        assert_eq!((report.state, report.would_be), (CircuitState::Observing, CircuitState::Open));
        assert!(rig.machine.only_observes() && rig.machine.refuses().is_none());
        assert_eq!(rig.refused(), Some(secs(30)));
        rig.wait(30);
        rig.call(Success);
        rig.call(Success);
        assert_eq!(rig.machine.report(rig.now).would_be, CircuitState::Closed);
    }

    #[test]
    fn resuming_after_observing_keeps_what_was_learned_while_closed() {
        let mut rig = Rig::new(RATE);
        rig.by_hand(Observe);
        rig.call(Failure);
        rig.by_hand(Resume);
        assert_eq!(rig.machine.report(rig.now).figures.failures, 1);
        rig.by_hand(Observe);
        for _ in 0..3 {
            rig.call(Failure);
        }
        rig.by_hand(Resume);
        assert_eq!(rig.arrow(), Some((CircuitState::Observing, CircuitState::Closed, CircuitCause::Manual)));
        assert_eq!(rig.machine.report(rig.now).figures.failures, 0);
    }

    #[test]
    fn resuming_what_nobody_touched_changes_nothing() {
        let mut rig = Rig::open(Limits::DEFAULT);
        rig.by_hand(Resume);
        assert_eq!(rig.refused(), Some(secs(30)));
    }

    #[test]
    fn reset_closes_and_forgets() {
        for control in [ForceOpen, Disable, Observe, Resume] {
            let mut rig = Rig::open(Limits::DEFAULT);
            rig.by_hand(control);
            rig.by_hand(Reset);
            assert_eq!(rig.arrow().map(|arrow| arrow.1), Some(CircuitState::Closed));
            rig.enter();
        }
        let mut rig = Rig::new(RATE);
        rig.call(Failure);
        rig.by_hand(Reset);
        assert_eq!((rig.machine.report(rig.now).figures.failures, rig.last), (0, None));
    }

    #[test]
    fn new_limits_keep_what_was_learned() {
        let mut rig = Rig::new(RATE);
        for _ in 0..3 {
            rig.call(Failure);
        }
        let rates = Rates { window: CircuitWindow::Calls(20), ..HALF_OF_TEN };
        rig.machine.reconfigure(Arc::new(Limits { rates: Some(rates), ..RATE }), rig.now);
        rig.call(Failure);
        assert_eq!(rig.last.expect("opened").figures.failures, 4);

        let mut rig = Rig::half_open(Limits { success_threshold: 3, ..Limits::DEFAULT });
        rig.call(Success);
        rig.machine.reconfigure(Arc::new(Limits::DEFAULT), rig.now);
        rig.call(Success);
        assert_eq!(rig.state(), CircuitState::Closed);
    }

    #[test]
    fn reports_are_as_of_now() {
        let mut rig = Rig::open(Limits::DEFAULT);
        rig.wait(10);
        let report = rig.machine.report(rig.now);
        assert_eq!((report.time_in_state, report.retry_after), (secs(10), Some(secs(20))));
        rig.wait(25);
        let report = rig.machine.report(rig.now);
        assert_eq!((report.state, report.time_in_state), (CircuitState::HalfOpen, secs(5)));
    }
}
