//! The machine of a breaker: outcomes and times in, decisions and transitions out.
//!
//! No clock, lock, thread or event is in here; `engine.rs` puts them around it.

use std::sync::Arc;

use super::limits::Limits;
use super::phase::{Hand, Phase};
use super::probes::{LAST_PROBE, Probes, Ramp};
use super::ticket::{Admission, Outcome, Ticket};
use super::transition::{CircuitCause, CircuitState, Control, Figures, Report, Transition};
use super::window::{Sum, Window, reaches, share};
use crate::clock::Tick;

#[cfg_attr(not(feature = "health"), allow(dead_code, reason = "nobody tells anything without checks"))]
pub(super) mod heed;
mod published;

#[derive(Debug)]
pub(super) struct Machine {
    /// Shared by the breakers of all keys.
    limits: Arc<Limits>,
    phase: Phase,
    /// What holds it: somebody, or else the configuration.
    hand: Hand,
    manual: Hand,
    generation: u32,
    since: Tick,
    /// When `hand` was last changed.
    held_since: Tick,
    /// Recoveries that failed since it was last closed.
    reopened: u32,
    window: Option<Window>,
    probes: Probes,
    /// The number of the last news of its health check, or zero.
    heard: u32,
}

impl Machine {
    pub(super) fn new(limits: Arc<Limits>, now: Tick) -> Self {
        let window = limits.rates.map(|rates| Window::new(rates.window, now));
        Self {
            hand: limits.hand,
            limits,
            phase: Phase::CLEAN,
            manual: Hand::Off,
            generation: 0,
            since: now,
            held_since: now,
            reopened: 0,
            window,
            probes: Probes::default(),
            heard: 0,
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
                let transition = self.half_open(CircuitCause::OpenTimeElapsed, now);
                (self.probe(now), Some(transition))
            }
            Phase::Held { heard, counts } => {
                *heard = (*heard).min(now);
                if now.since(*heard) < *counts {
                    return (Admission::Refused { retry_after: None }, None);
                }
                let transition = self.half_open(CircuitCause::HealthUnknown, now);
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

    /// Takes the failures that were counted elsewhere: all those in a row, or those of a bucket since
    /// the last call.
    pub(super) fn absorb_failures(&mut self, count: u32) {
        match (&mut self.phase, &mut self.window) {
            (Phase::Closed { .. }, Some(window)) => window.fail(count),
            (Phase::Closed { failures, .. }, None) => *failures = count,
            _ => {}
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
        if ticket.place() != 0 {
            self.probes.leave(ticket.place());
        }
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Failure | Outcome::Panicked => true,
            Outcome::Abandoned if self.limits.abandoned_fails => true,
            Outcome::Abandoned | Outcome::Ignored => return None,
        };
        match self.phase {
            Phase::Closed { .. } => self.count(failed, slow, now),
            Phase::Open { .. } | Phase::Held { .. } => None,
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

    /// Decides about what was absorbed.
    pub(super) fn judge(&mut self, now: Tick) -> Option<Transition> {
        let transition = self.turn(now);
        transition.or_else(|| self.tripped().map(|cause| self.open(cause, now)))
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

    fn half_open(&mut self, cause: CircuitCause, now: Tick) -> Transition {
        let from = self.phase.state();
        // As it was reported before anybody called.
        let since = self.tries_from().map_or(now, |due| due.min(now));
        self.phase = Phase::HalfOpen;
        self.probes.restart();
        self.enter(now);
        self.since = since;
        self.transition(from, cause, Figures::default())
    }

    /// When it is half-open, though nobody calls, if it is open.
    fn tries_from(&self) -> Option<Tick> {
        match self.phase {
            Phase::Open { length } => Some(self.since.plus(length)),
            Phase::Held { heard, counts } => Some(heard.plus(counts).max(self.since)),
            Phase::Closed { .. } | Phase::HalfOpen => None,
        }
    }

    /// Closed, knowing nothing but what its check says.
    fn clear(&mut self, now: Tick) {
        if !self.is_held(now) {
            self.phase = Phase::CLEAN;
        }
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
        let (rates, sum) = (self.limits.rates.as_ref()?, self.window.as_ref()?.sum());
        if !rates.are_known(sum) {
            return None;
        }
        if rates.failure_rate.is_some_and(|limit| reaches(sum.failures, sum.calls, limit)) {
            return Some(CircuitCause::FailureRate);
        }
        rates
            .slow_rate
            .is_some_and(|limit| reaches(sum.slow, sum.calls, limit))
            .then_some(CircuitCause::SlowRate)
    }

    /// Shares of failures and of slow calls, unknown below the minimum.
    fn rates(&self, sum: Sum) -> (Option<f64>, Option<f64>) {
        if !self.limits.rates.is_some_and(|rates| rates.are_known(sum)) {
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
        match self.hand.state() {
            Some(state) => state,
            None => self.phase.state(),
        }
    }

    /// Everything as of `now`, though nobody called since something was due.
    pub(super) fn report(&self, now: Tick) -> Report {
        let limits = &self.limits;
        let tries_from = self.tries_from();
        let mut time = now.since(tries_from.filter(|due| *due <= now).unwrap_or(self.since));
        let (would_be, mut retry_after) = match (&self.phase, tries_from) {
            (Phase::Closed { .. }, _) => (CircuitState::Closed, None),
            (Phase::HalfOpen, _) => {
                let wait = self.probes.wait(now, limits.half_open_calls, limits.half_open_timeout);
                (CircuitState::HalfOpen, wait)
            }
            (_, Some(due)) if due <= now => (CircuitState::HalfOpen, None),
            (Phase::Open { length }, _) => (CircuitState::Open, Some(length.saturating_sub(time))),
            (Phase::Held { .. }, _) => (CircuitState::Open, None),
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
        let before = (self.state(), self.phase.state());
        let manual = match control {
            Control::ForceOpen => Hand::ForcedOpen,
            Control::Disable => Hand::Disabled,
            Control::Observe => Hand::Observing,
            Control::Resume | Control::Reset => Hand::Off,
        };
        let hand = manual.or(self.limits.hand);
        if control == Control::Reset || !self.learns_on_under(hand) {
            self.clear(now);
        }
        self.manual = manual;
        self.hold(hand, now);
        self.told_of(before, CircuitCause::Manual)
    }

    /// Whether another hand lets it keep what it has learned. A breaker that lets everything through has learned
    /// nothing, and one that observed is no measure for refusing unless it would have let everything through.
    fn learns_on_under(&self, hand: Hand) -> bool {
        match hand {
            Hand::Observing => true,
            Hand::Off if self.hand == Hand::Observing => matches!(self.phase, Phase::Closed { .. }),
            _ => hand == self.hand,
        }
    }

    fn hold(&mut self, hand: Hand, now: Tick) {
        if hand != self.hand {
            (self.hand, self.held_since) = (hand, now);
        }
    }

    /// What changed, since it was in this state and learned that.
    fn told_of(
        &self,
        (state, learned): (CircuitState, CircuitState),
        cause: CircuitCause,
    ) -> Option<Transition> {
        let observed = state == self.state() && self.hand == Hand::Observing;
        let (from, to) = if observed { (learned, self.phase.state()) } else { (state, self.state()) };
        let transition = Transition { from, to, cause, observed, figures: Figures::default() };
        (from != to).then_some(transition)
    }

    /// Goes by other limits from now on, and keeps what it has learned where the window allows.
    pub(super) fn reconfigure(&mut self, limits: Arc<Limits>, now: Tick) -> Option<Transition> {
        let before = (self.state(), self.phase.state());
        match (&mut self.window, limits.rates) {
            (Some(window), Some(rates)) => window.reshape(rates.window, now),
            (window, rates) => *window = rates.map(|rates| Window::new(rates.window, now)),
        }
        if let (Phase::Closed { failures, .. }, None) = (&mut self.phase, limits.failure_threshold) {
            *failures = 0;
        }
        #[cfg(feature = "health")]
        if limits.health != self.limits.health {
            self.unhear();
        }
        self.limits = limits;
        let hand = self.manual.or(self.limits.hand);
        if !self.learns_on_under(hand) {
            self.clear(now);
        }
        self.hold(hand, now);
        self.told_of(before, CircuitCause::Configured)
    }

    /// Whether nothing is lost when it is forgotten.
    pub(super) fn is_clean(&self, now: Tick) -> bool {
        let clean = self.window.as_ref().is_none_or(|window| window.sum_at(now).is_clean());
        clean && self.manual == Hand::Off && matches!(self.phase, Phase::Closed { failures: 0, ramp: None })
    }

    /// What was done by hand, to do the same to another breaker.
    pub(super) const fn held_by(&self) -> Option<Control> {
        self.manual.control()
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
}
