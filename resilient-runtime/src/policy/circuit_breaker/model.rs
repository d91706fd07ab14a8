//! A breaker that is slow and obvious: it keeps every outcome and counts them anew each time.

use std::time::Duration;

use resilient_settings::nanos;

use super::limits::{Limits, Rates};
use super::ticket::Outcome;
use super::transition::{CircuitCause, CircuitState, Control, Figures, Report, Transition};
use super::window::{CircuitWindow, share};

pub(super) struct Model {
    pub(super) limits: Limits,
    phase: CircuitState,
    since: u64,
    length: Duration,
    /// What somebody did, if that still holds.
    manual: Option<Control>,
    /// That, or else what is configured.
    hand: Option<Control>,
    held_since: u64,
    reopened: u32,
    episode: u64,
    /// Since it was last closed.
    seen: Vec<Seen>,
    /// The window knows nothing of what came before this one.
    window_from: usize,
    /// When the window began, or began anew after it had forgotten everything.
    begun: u64,
    /// When an outcome was last recorded, or a window begun.
    last: u64,
    probes: Vec<Call>,
    succeeded: u32,
    ramp: Option<(u64, u128)>,
    /// What it would have told, in order.
    pub(super) told: Vec<Transition>,
}

#[derive(Clone, Copy)]
struct Seen {
    at: u64,
    failed: bool,
    slow: bool,
    /// Whether failures in a row mattered then.
    in_a_row: bool,
}

/// A call that was let in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Call {
    number: usize,
    pub(super) since: u64,
    /// Nothing for a call that counts in no decision.
    pub(super) episode: Option<u64>,
    /// Whether it counts in the statistics.
    pub(super) counted: bool,
    pub(super) probe: bool,
}

impl Model {
    pub(super) fn new(limits: Limits, now: u64) -> Self {
        Self {
            limits,
            phase: CircuitState::Closed,
            since: now,
            length: Duration::ZERO,
            manual: None,
            hand: limits.hand.control(),
            held_since: now,
            reopened: 0,
            episode: 0,
            seen: Vec::new(),
            window_from: 0,
            begun: now,
            last: now,
            probes: Vec::new(),
            succeeded: 0,
            ramp: None,
            told: Vec::new(),
        }
    }

    /// The state that it last told of.
    pub(super) const fn state(&self) -> CircuitState {
        match self.hand {
            Some(Control::ForceOpen) => CircuitState::ForcedOpen,
            Some(Control::Disable) => CircuitState::Disabled,
            Some(Control::Observe) => CircuitState::Observing,
            _ => self.phase,
        }
    }

    fn go(&mut self, to: CircuitState, now: u64) {
        (self.phase, self.since) = (to, now);
        self.episode += 1;
        self.probes.clear();
        self.succeeded = 0;
        self.ramp = None;
    }

    fn tell(&mut self, from: CircuitState, cause: CircuitCause, figures: Figures) {
        let observed = self.hand == Some(Control::Observe);
        self.told.push(Transition { from, to: self.phase, cause, observed, figures });
    }

    fn open(&mut self, cause: CircuitCause, figures: Figures, now: u64) {
        let from = self.phase;
        self.length = self.limits.open_for(self.reopened);
        self.go(CircuitState::Open, now);
        self.tell(from, cause, Figures { open_for: Some(self.length), ..figures });
    }

    fn close(&mut self, now: u64) {
        self.reopened = 0;
        self.seen.clear();
        (self.window_from, self.begun, self.last) = (0, now, now);
        self.go(CircuitState::Closed, now);
    }

    /// Lets a call in, or says how long to wait.
    pub(super) fn admit(&mut self, number: usize, now: u64) -> Result<Call, Option<Duration>> {
        let call = Call { number, since: now, episode: None, counted: true, probe: false };
        match self.hand {
            Some(Control::ForceOpen) => Err(None),
            Some(Control::Disable) => Ok(Call { counted: false, ..call }),
            Some(_) => self.ask(call, now).or(Ok(call)),
            None => self.ask(call, now),
        }
    }

    fn ask(&mut self, call: Call, now: u64) -> Result<Call, Option<Duration>> {
        if self.phase == CircuitState::Open {
            let left = self.length.saturating_sub(Duration::from_nanos(now - self.since));
            if !left.is_zero() {
                return Err(Some(left));
            }
            let ended = self.since + nanos(self.length);
            self.go(CircuitState::HalfOpen, now);
            self.since = ended;
            self.tell(CircuitState::Open, CircuitCause::OpenTimeElapsed, Figures::default());
        }
        let probe = self.phase == CircuitState::HalfOpen;
        let call = Call { episode: Some(self.episode), probe, ..call };
        if probe {
            self.take_place(call)?;
        } else if !self.passes_ramp(now) {
            return Err(None);
        }
        Ok(call)
    }

    fn take_place(&mut self, call: Call) -> Result<(), Option<Duration>> {
        let (places, lease) = (self.limits.half_open_calls as usize, self.limits.half_open_timeout);
        let left = |probe: &Call| lease.saturating_sub(Duration::from_nanos(call.since - probe.since));
        if self.probes.len() >= places {
            self.probes.retain(|probe| !left(probe).is_zero());
        }
        if self.probes.len() >= places {
            return Err(self.probes.iter().map(left).min());
        }
        self.probes.push(call);
        Ok(())
    }

    fn passes_ramp(&mut self, now: u64) -> bool {
        let Some((since, credit)) = self.ramp else { return true };
        let (elapsed, over) = (now - since, nanos(self.limits.ramp.unwrap_or_default()));
        if elapsed >= over {
            self.ramp = None;
            return true;
        }
        let credit = credit + (u128::from(elapsed) << 32) / u128::from(over);
        let passes = credit >> 32 != 0;
        self.ramp = Some((since, if passes { credit - (1 << 32) } else { credit }));
        passes
    }

    /// Takes the outcome of a call that lasted until now.
    pub(super) fn record(&mut self, call: Call, outcome: Outcome, now: u64) {
        if call.episode != Some(self.episode) {
            return;
        }
        self.probes.retain(|probe| probe.number != call.number);
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Failure | Outcome::Panicked => true,
            Outcome::Abandoned if self.limits.abandoned_fails => true,
            Outcome::Abandoned | Outcome::Ignored => return,
        };
        let slow = self.is_slow(call, now);
        match self.phase {
            CircuitState::Closed => self.count(failed, slow, now),
            CircuitState::HalfOpen if failed || slow => {
                self.reopened += 1;
                let figures = Figures { failures: 1, calls: 1, ..Figures::default() };
                self.open(CircuitCause::ProbeFailed, figures, now);
            }
            CircuitState::HalfOpen => self.probe_succeeded(now),
            _ => {}
        }
    }

    pub(super) fn is_slow(&self, call: Call, now: u64) -> bool {
        self.limits.slow_call.is_some_and(|longer_than| now - call.since > nanos(longer_than))
    }

    fn probe_succeeded(&mut self, now: u64) {
        self.succeeded += 1;
        if self.succeeded >= self.limits.success_threshold {
            let figures = Figures { calls: u64::from(self.succeeded), ..Figures::default() };
            self.close(now);
            self.ramp = self.limits.ramp.map(|_| (now, 1 << 32));
            self.tell(CircuitState::HalfOpen, CircuitCause::ProbesSucceeded, figures);
        }
    }

    fn count(&mut self, failed: bool, slow: bool, now: u64) {
        let turned = match self.limits.rates {
            Some(Rates { window: CircuitWindow::Time(span), .. }) => {
                self.bucket(now, span) != self.bucket(self.last, span)
            }
            _ => false,
        };
        if turned && let Some(cause) = self.rate_trips(now) {
            return self.open(cause, self.figures(now), now);
        }
        if let Some(Rates { window: CircuitWindow::Time(span), .. }) = self.limits.rates
            && self.bucket(self.last, span) + 10 <= self.bucket(now, span)
        {
            self.begun = now;
        }
        self.last = now;
        let in_a_row = self.limits.failure_threshold.is_some();
        self.seen.push(Seen { at: now, failed, slow, in_a_row });
        let run = self.seen.iter().rev().take_while(|seen| seen.failed && seen.in_a_row).count();
        let figures = self.figures(now);
        if self.limits.failure_threshold.is_some_and(|threshold| run >= threshold as usize) {
            let figures = Figures { failures: run as u64, calls: run as u64, ..figures };
            self.open(CircuitCause::FailureThreshold, figures, now);
        } else if let Some(cause) = self.rate_trips(now) {
            self.open(cause, figures, now);
        }
    }

    fn rate_trips(&self, now: u64) -> Option<CircuitCause> {
        let figures = self.figures(now);
        let reaches = |share: Option<f64>, limit: fn(Rates) -> Option<f64>| {
            share.zip(self.limits.rates.and_then(limit)).is_some_and(|(share, limit)| share >= limit)
        };
        if reaches(figures.failure_rate, |rates| rates.failure_rate) {
            return Some(CircuitCause::FailureRate);
        }
        reaches(figures.slow_rate, |rates| rates.slow_rate).then_some(CircuitCause::SlowRate)
    }

    /// What the window says.
    fn figures(&self, now: u64) -> Figures {
        let Some(rates) = self.limits.rates else { return Figures::default() };
        let known = self.seen[self.window_from..].iter().rev();
        let seen: Vec<_> = match rates.window {
            CircuitWindow::Calls(calls) => known.take(calls as usize).collect(),
            CircuitWindow::Time(span) => {
                let known = known.filter(|seen| seen.at >= self.begun);
                known.filter(|seen| self.bucket(seen.at, span) + 10 > self.bucket(now, span)).collect()
            }
        };
        let of = |what: fn(&Seen) -> bool| seen.iter().filter(|seen| what(seen)).count() as u64;
        let (calls, failures) = (seen.len() as u64, of(|seen| seen.failed));
        let enough = calls >= u64::from(rates.min_calls);
        Figures {
            failures,
            calls,
            failure_rate: enough.then(|| share(failures, calls)),
            slow_rate: self.limits.slow_call.filter(|_| enough).map(|_| share(of(|seen| seen.slow), calls)),
            open_for: None,
        }
    }

    pub(super) fn control(&mut self, control: Control, now: u64) {
        self.manual = Some(control).filter(|control| !matches!(control, Control::Resume | Control::Reset));
        self.hold(CircuitCause::Manual, control == Control::Reset, now);
    }

    fn hold(&mut self, cause: CircuitCause, forgets: bool, now: u64) {
        let (state, phase, before) = (self.state(), self.phase, self.hand);
        let hand = self.manual.or(self.limits.hand.control());
        let learns_on = match (before, hand) {
            (_, Some(Control::Observe)) => true,
            (Some(Control::Observe), None) => phase == CircuitState::Closed,
            (before, hand) => before == hand,
        };
        if forgets || !learns_on {
            self.close(now);
        }
        if before != hand {
            (self.hand, self.held_since) = (hand, now);
        }
        let figures = Figures::default();
        if state != self.state() {
            let to = self.state();
            self.told.push(Transition { from: state, to, cause, observed: false, figures });
        } else if hand == Some(Control::Observe) && phase != self.phase {
            self.told.push(Transition { from: phase, to: self.phase, cause, observed: true, figures });
        }
    }

    pub(super) fn reconfigure(&mut self, limits: Limits, now: u64) {
        use CircuitWindow::{Calls, Time};
        let window = |limits: Limits| limits.rates.map(|rates| rates.window);
        match (window(self.limits), window(limits)) {
            (Some(Calls(old)), Some(Calls(_))) => {
                self.window_from = self.window_from.max(self.seen.len().saturating_sub(old as usize));
            }
            (Some(Time(old)), Some(Time(new))) if old == new => {}
            _ => (self.window_from, self.begun, self.last) = (self.seen.len(), now, now),
        }
        if limits.failure_threshold.is_none() {
            self.seen.iter_mut().for_each(|seen| seen.in_a_row = false);
        }
        self.limits = limits;
        self.hold(CircuitCause::Configured, false, now);
    }

    pub(super) fn report(&self, now: u64) -> Report {
        let age = |since: u64| Duration::from_nanos(now - since);
        let (would_be, time, retry_after) = match self.phase {
            CircuitState::Open if age(self.since) >= self.length => {
                (CircuitState::HalfOpen, age(self.since).saturating_sub(self.length), None)
            }
            CircuitState::Open => {
                (self.phase, age(self.since), Some(self.length.saturating_sub(age(self.since))))
            }
            CircuitState::HalfOpen => (self.phase, age(self.since), self.wait(now)),
            _ => (self.phase, age(self.since), None),
        };
        let figures = self.figures(now);
        match self.hand {
            None => Report { state: would_be, would_be, time_in_state: time, retry_after, figures },
            Some(_) => Report {
                state: self.state(),
                would_be,
                time_in_state: age(self.held_since),
                retry_after: None,
                figures,
            },
        }
    }

    /// Time until a probe loses its place, unless one is free or would be.
    fn wait(&self, now: u64) -> Option<Duration> {
        let lease = self.limits.half_open_timeout;
        let left = |probe: &Call| lease.saturating_sub(Duration::from_nanos(now - probe.since));
        let wait = self.probes.iter().map(left).min()?;
        (self.probes.len() >= self.limits.half_open_calls as usize && !wait.is_zero()).then_some(wait)
    }

    /// A window of time forgets a tenth at a time.
    fn bucket(&self, at: u64, span: Duration) -> u64 {
        (at - self.begun) / (nanos(span) / 10)
    }
}
