//! The machine against a slow and obvious one, over random histories.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::limits::{Limits, Rates};
use super::state::Machine;
use super::ticket::{Admission, Outcome, Ticket};
use super::transition::{CircuitState, Control};
use super::window::{CircuitWindow, share};
use crate::clock::{Tick, nanos};

/// Keeps every outcome since it closed and counts them anew each time.
struct Model {
    limits: Limits,
    state: CircuitState,
    since: u64,
    length: Duration,
    reopened: u32,
    episode: u64,
    outcomes: Vec<(u64, bool, bool)>,
    /// When an outcome was last recorded.
    last: u64,
    probes: Vec<(usize, u64)>,
    succeeded: u32,
}

/// A call as the model sees it: when it was admitted, and whether as a probe.
#[derive(Clone, Copy)]
struct Call {
    number: usize,
    episode: u64,
}

impl Model {
    fn new(limits: Limits, now: u64) -> Self {
        Self {
            limits,
            state: CircuitState::Closed,
            since: now,
            length: Duration::ZERO,
            reopened: 0,
            episode: 0,
            outcomes: Vec::new(),
            last: now,
            probes: Vec::new(),
            succeeded: 0,
        }
    }

    fn go(&mut self, state: CircuitState, now: u64) {
        (self.state, self.since, self.last) = (state, now, now);
        self.episode += 1;
        self.outcomes.clear();
        self.probes.clear();
        self.succeeded = 0;
    }

    fn open(&mut self, now: u64) {
        self.length = self.limits.open_for(self.reopened);
        self.go(CircuitState::Open, now);
    }

    fn close(&mut self, now: u64) {
        self.reopened = 0;
        self.go(CircuitState::Closed, now);
    }

    fn admit(&mut self, number: usize, now: u64) -> Result<Call, Option<Duration>> {
        if self.state == CircuitState::Open {
            let left = self.length.saturating_sub(Duration::from_nanos(now - self.since));
            if !left.is_zero() {
                return Err(Some(left));
            }
            self.go(CircuitState::HalfOpen, now);
        }
        let call = Call { number, episode: self.episode };
        match self.state {
            CircuitState::ForcedOpen => return Err(None),
            CircuitState::HalfOpen => self.probe(number, now)?,
            _ => {}
        }
        Ok(call)
    }

    fn probe(&mut self, number: usize, now: u64) -> Result<(), Option<Duration>> {
        let age = |since: u64| Duration::from_nanos(now - since);
        let lease = self.limits.half_open_timeout;
        if self.probes.len() >= self.limits.half_open_calls as usize {
            self.probes.retain(|probe| age(probe.1) < lease);
        }
        if self.probes.len() >= self.limits.half_open_calls as usize {
            return Err(self.probes.iter().map(|probe| lease.saturating_sub(age(probe.1))).min());
        }
        self.probes.push((number, now));
        Ok(())
    }

    fn record(&mut self, call: Call, outcome: Outcome, slow: bool, now: u64) {
        if call.episode != self.episode {
            return;
        }
        self.probes.retain(|probe| probe.0 != call.number);
        let failed = match outcome {
            Outcome::Success => false,
            Outcome::Failure | Outcome::Panicked => true,
            Outcome::Abandoned if self.limits.abandoned_fails => true,
            Outcome::Abandoned | Outcome::Ignored => return,
        };
        match self.state {
            CircuitState::Closed => self.count(failed, slow, now),
            CircuitState::HalfOpen if failed || slow => {
                self.reopened += 1;
                self.open(now);
            }
            CircuitState::HalfOpen => {
                self.succeeded += 1;
                if self.succeeded == self.limits.success_threshold {
                    self.close(now);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, failed: bool, slow: bool, now: u64) {
        if let Some(Rates { window: CircuitWindow::Time(span), .. }) = self.limits.rates {
            let width = nanos(span) / 10;
            if now / width != self.last / width && self.rate_trips(now) {
                return self.open(now);
            }
        }
        self.last = now;
        self.outcomes.push((now, failed, slow));
        let run = self.outcomes.iter().rev().take_while(|outcome| outcome.1).count();
        let trips = self.limits.failure_threshold.is_some_and(|threshold| run >= threshold as usize);
        if trips || self.rate_trips(now) {
            self.open(now);
        }
    }

    fn rate_trips(&self, now: u64) -> bool {
        let Some(rates) = self.limits.rates else { return false };
        let all = self.outcomes.iter();
        let seen: Vec<_> = match rates.window {
            CircuitWindow::Calls(calls) => all.rev().take(calls as usize).collect(),
            CircuitWindow::Time(span) => {
                let width = nanos(span) / 10;
                all.filter(|outcome| outcome.0 / width + 10 > now / width).collect()
            }
        };
        let reaches = |part: usize, rate: Option<f64>| {
            rate.is_some_and(|rate| share(part as u64, seen.len() as u64) >= rate)
        };
        seen.len() >= rates.min_calls as usize
            && (reaches(seen.iter().filter(|outcome| outcome.1).count(), rates.failure_rate)
                || reaches(seen.iter().filter(|outcome| outcome.2).count(), rates.slow_rate))
    }

    fn control(&mut self, control: Control, now: u64) {
        match control {
            Control::ForceOpen if self.state != CircuitState::ForcedOpen => {
                self.close(now);
                self.state = CircuitState::ForcedOpen;
            }
            Control::Resume if self.state == CircuitState::ForcedOpen => self.close(now),
            Control::Reset => self.close(now),
            _ => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Wait(u64),
    Enter,
    /// Ends one of the running calls.
    Leave(prop::sample::Index, Outcome, bool),
    /// So many calls that succeed at once.
    Succeed(u8),
    Control(Control),
}

fn step() -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => Just(Outcome::Ignored),
        1 => Just(Outcome::Abandoned),
        1 => Just(Outcome::Panicked),
    ];
    let control = prop_oneof![Just(Control::ForceOpen), Just(Control::Resume), Just(Control::Reset)];
    prop_oneof![
        4 => prop_oneof![0..5_u64, 0..60_u64].prop_map(Step::Wait),
        8 => Just(Step::Enter),
        8 => (any::<prop::sample::Index>(), outcome, prop::bool::weighted(0.2))
            .prop_map(|(index, outcome, slow)| Step::Leave(index, outcome, slow)),
        4 => (0..20_u8).prop_map(Step::Succeed),
        1 => control.prop_map(Step::Control),
    ]
}

fn limits() -> impl Strategy<Value = Limits> {
    let window = prop_oneof![
        (1..12_u32).prop_map(CircuitWindow::Calls),
        (1..5_u64).prop_map(|tens| CircuitWindow::Time(Duration::from_nanos(tens * 10))),
    ];
    let rate = || prop_oneof![Just(None), (1..=4_u8).prop_map(|quarters| Some(f64::from(quarters) / 4.0))];
    let rates =
        (window, 1..6_u32, rate(), rate()).prop_map(|(window, min_calls, failure_rate, slow_rate)| Rates {
            window,
            min_calls: if let CircuitWindow::Calls(calls) = window {
                min_calls.min(calls)
            } else {
                min_calls
            },
            failure_rate,
            slow_rate,
        });
    let recovery = (1..4_u32, 1..4_u32, 1..40_u64, 1..40_u64, 1..3_u8, any::<bool>());
    (prop::option::of(1..5_u32), prop::option::of(rates), recovery).prop_map(
        |(failure_threshold, rates, recovery)| {
            let (half_open_calls, success_threshold, reset, lease, factor, abandoned_fails) = recovery;
            Limits {
                failure_threshold,
                rates,
                slow_call: Some(Duration::from_secs(1)),
                reset_timeout: Duration::from_nanos(reset),
                reset_factor: f64::from(factor),
                max_reset_timeout: Duration::from_nanos(60),
                half_open_calls,
                success_threshold,
                half_open_timeout: Duration::from_nanos(lease),
                ramp: None,
                abandoned_fails,
                max_keys: 1,
            }
        },
    )
}

/// A machine that is told of fast successes as late as the engine may, beside the model.
struct Pair {
    machine: Machine,
    model: Model,
    now: u64,
    untold: u64,
    running: Vec<(Ticket, Call)>,
    entered: usize,
}

impl Pair {
    fn new(limits: Limits) -> Self {
        let now = 1_000;
        let machine = Machine::new(Arc::new(limits), Tick::from_nanos(now));
        Self { machine, model: Model::new(limits, now), now, untold: 0, running: Vec::new(), entered: 0 }
    }

    fn enter(&mut self) -> Result<Option<(Ticket, Call)>, TestCaseError> {
        self.entered += 1;
        let (admission, _) = self.machine.admit(Tick::from_nanos(self.now));
        match (admission, self.model.admit(self.entered, self.now)) {
            (Admission::Admitted(ticket), Ok(call)) => Ok(Some((ticket, call))),
            (Admission::Refused { retry_after }, Err(expected)) => {
                prop_assert_eq!(retry_after, expected);
                Ok(None)
            }
            (admission, expected) => {
                let expected = expected.map(|call| call.number);
                Err(TestCaseError::fail(format!("{admission:?} where {expected:?} is right")))
            }
        }
    }

    fn leave(&mut self, (ticket, call): (Ticket, Call), outcome: Outcome, slow: bool) {
        self.model.record(call, outcome, slow, self.now);
        let turned = self.machine.turns_at().is_some_and(|at| self.now >= at.nanos());
        let quiet = ticket == Ticket::closed(self.machine.generation())
            && self.machine.admits_all()
            && !self.machine.success_matters()
            && !turned;
        if outcome == Outcome::Success && !slow && quiet {
            self.untold += 1;
            return;
        }
        self.tell();
        self.machine.record(ticket, outcome, slow, || Tick::from_nanos(self.now));
    }

    fn succeed(&mut self) -> Result<(), TestCaseError> {
        if let Some(call) = self.enter()? {
            self.leave(call, Outcome::Success, false);
        }
        Ok(())
    }

    fn tell(&mut self) {
        self.machine.absorb(std::mem::take(&mut self.untold));
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(time) => self.now += time,
            Step::Enter => {
                let admitted = self.enter()?;
                self.running.extend(admitted);
            }
            Step::Leave(index, outcome, slow) if !self.running.is_empty() => {
                let call = self.running.swap_remove(index.index(self.running.len()));
                self.leave(call, outcome, slow);
            }
            Step::Leave(..) => {}
            Step::Succeed(times) => (0..times).try_for_each(|_| self.succeed())?,
            Step::Control(control) => {
                self.tell();
                self.machine.control(control, Tick::from_nanos(self.now));
                self.model.control(control, self.now);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn the_machine_does_what_the_model_does(limits in limits(), steps in prop::collection::vec(step(), 0..80)) {
        let mut pair = Pair::new(limits);
        for step in steps {
            pair.take(step)?;
        }
    }

    /// Whatever was dropped, came late or jumped: with time, a call passes again.
    #[test]
    fn no_history_wedges(
        limits in limits(),
        ramp in prop::option::of(1..40_u64),
        steps in prop::collection::vec((step(), prop::option::weighted(0.1, 0..u64::MAX)), 0..60),
    ) {
        let limits = Limits { ramp: ramp.map(Duration::from_nanos), ..limits };
        let mut machine = Machine::new(Arc::new(limits), Tick::from_nanos(1_000));
        let (mut now, mut running) = (1_000, Vec::new());
        let longest = Duration::from_nanos(60).max(limits.reset_timeout).max(limits.half_open_timeout);
        for (step, jump) in steps {
            now = jump.unwrap_or(now);
            let tick = Tick::from_nanos(now);
            match step {
                Step::Wait(time) => now = now.saturating_add(time),
                Step::Enter | Step::Succeed(_) => match machine.admit(tick).0 {
                    Admission::Admitted(ticket) => running.push(ticket),
                    Admission::Refused { retry_after } => {
                        prop_assert!(retry_after.is_none_or(|after| after <= longest));
                    }
                },
                Step::Leave(index, outcome, slow) if !running.is_empty() => {
                    let ticket = running.swap_remove(index.index(running.len()));
                    machine.record(ticket, outcome, slow, || tick);
                }
                Step::Leave(..) => {}
                Step::Control(control) => {
                    machine.control(control, tick);
                }
            }
        }
        now = now.min(u64::MAX / 2);
        machine.control(Control::Resume, Tick::from_nanos(now));
        machine.admit(Tick::from_nanos(now));
        now += nanos(longest);
        let admission = machine.admit(Tick::from_nanos(now)).0;
        prop_assert!(matches!(admission, Admission::Admitted(_)), "{:?} by {:?}", admission, machine);
    }
}
