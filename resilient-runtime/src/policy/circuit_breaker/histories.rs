//! Random histories that a breaker and the naive one have to agree about, and what holds in all of them.

use std::time::Duration;

use proptest::prelude::*;
use resilient_settings::nanos;

use super::limits::{Limits, Rates};
use super::model::{Call, Model};
use super::phase::Hand;
use super::ticket::Outcome;
use super::transition::{CircuitState, Control, Report, Transition};
use super::window::CircuitWindow;

#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Wait(u64),
    Enter,
    /// Ends one of the running calls, however long ago it was let in; the others are lost for now.
    Leave(prop::sample::Index, Outcome),
    /// So many calls that succeed at once.
    Succeed(u8),
    Control(Control),
    Reconfigure(Limits),
    Report,
}

fn control() -> impl Strategy<Value = Control> {
    prop::sample::select(vec![
        Control::ForceOpen,
        Control::Disable,
        Control::Observe,
        Control::Resume,
        Control::Resume,
        Control::Reset,
    ])
}

pub(super) fn step(timed: bool) -> impl Strategy<Value = Step> {
    let outcome = prop_oneof![
        4 => Just(Outcome::Success),
        4 => Just(Outcome::Failure),
        1 => Just(Outcome::Ignored),
        1 => Just(Outcome::Abandoned),
        1 => Just(Outcome::Panicked),
    ];
    prop_oneof![
        8 => prop_oneof![0..5_u64, 0..60_u64].prop_map(Step::Wait),
        16 => Just(Step::Enter),
        16 => (any::<prop::sample::Index>(), outcome).prop_map(|(index, outcome)| Step::Leave(index, outcome)),
        8 => (0..20_u8).prop_map(Step::Succeed),
        2 => control().prop_map(Step::Control),
        1 => limits(timed).prop_map(Step::Reconfigure),
        2 => Just(Step::Report),
    ]
}

/// Limits as they come from settings, so small that histories of a few steps meet every one.
///
/// Calls are timed in all of one history or in none: those that run while that changes may be either.
pub(super) fn limits(timed: bool) -> impl Strategy<Value = Limits> {
    let window = prop_oneof![
        (1..12_u32, 1..6_u32).prop_map(|(calls, least)| (CircuitWindow::Calls(calls), least.min(calls))),
        (1..5_u64, 1..6_u32)
            .prop_map(|(tens, least)| (CircuitWindow::Time(Duration::from_nanos(tens * 10)), least)),
    ];
    let quarters = || (1..=4_u8).prop_map(|quarters| f64::from(quarters) / 4.0);
    let decides = (prop::option::of(quarters()), 1..5_u32, window, quarters(), 0..30_u64);
    let recovery = (1..4_u32, 1..4_u32, 1..40_u64, 1..40_u64, 1..3_u8, any::<bool>());
    let ramp = prop::option::weighted(0.3, 1..40_u64);
    let hand = prop_oneof![8 => Just(Hand::Off), 1 => Just(Hand::Disabled), 1 => Just(Hand::Observing)];
    (decides, recovery, ramp, hand).prop_map(move |(decides, recovery, ramp, hand)| {
        let (failure_rate, threshold, (window, min_calls), slow_rate, slow_call) = decides;
        let (half_open_calls, success_threshold, reset, lease, factor, abandoned_fails) = recovery;
        let slow_rate = timed.then_some(slow_rate);
        let decides_by_rate = failure_rate.is_some() || timed;
        Limits {
            failure_threshold: failure_rate.is_none().then_some(threshold),
            rates: decides_by_rate.then_some(Rates { window, min_calls, failure_rate, slow_rate }),
            slow_call: timed.then_some(Duration::from_nanos(slow_call)),
            reset_timeout: Duration::from_nanos(reset),
            reset_factor: f64::from(factor),
            max_reset_timeout: Duration::from_nanos(60),
            half_open_calls,
            success_threshold,
            half_open_timeout: Duration::from_nanos(lease),
            ramp: ramp.map(Duration::from_nanos),
            abandoned_fails,
            hand,
            ..Limits::DEFAULT
        }
    })
}

pub(super) fn histories() -> impl Strategy<Value = (Limits, Vec<Step>)> {
    any::<bool>().prop_flat_map(|timed| (limits(timed), prop::collection::vec(step(timed), 0..80)))
}

/// A breaker that goes through a history.
pub(super) trait Subject {
    /// What it hands to a call that it lets in.
    type Pass: Copy;

    fn new(limits: Limits) -> Self;
    fn now(&self) -> u64;
    fn wait(&mut self, time: u64);
    fn enter(&mut self) -> Result<Self::Pass, Option<Duration>>;
    fn leave(&mut self, pass: Self::Pass, outcome: Outcome, slow: bool);
    fn control(&mut self, control: Control);
    fn reconfigure(&mut self, limits: Limits);
    fn report(&mut self) -> Report;
    /// The transitions it told of since it was last asked.
    fn told(&mut self) -> Vec<Transition>;
    /// Calls that it counted as ended, if it counts.
    fn ended(&self) -> Option<u64>;
}

/// A breaker beside the naive one.
struct Pair<S: Subject> {
    subject: S,
    model: Model,
    running: Vec<(S::Pass, Call)>,
    entered: usize,
    /// Calls that were refused or have ended since the last reset, but for those let in while disabled.
    ended: u64,
    lease: u64,
    state: CircuitState,
    would_be: CircuitState,
}

impl<S: Subject> Pair<S> {
    fn new(limits: Limits) -> Self {
        let subject = S::new(limits);
        let model = Model::new(limits, subject.now());
        let (state, would_be) = (model.state(), CircuitState::Closed);
        let lease = nanos(limits.half_open_timeout);
        Self { subject, model, running: Vec::new(), entered: 0, ended: 0, lease, state, would_be }
    }

    fn enter(&mut self) -> Result<Option<(S::Pass, Call)>, TestCaseError> {
        self.entered += 1;
        let expected = self.model.admit(self.entered, self.subject.now());
        match (self.subject.enter(), expected) {
            (Ok(pass), Ok(call)) => {
                self.no_more_probes_than_allowed(call)?;
                Ok(Some((pass, call)))
            }
            (Err(wait), Err(expected)) => {
                prop_assert_eq!(wait, expected);
                self.ended += 1;
                Ok(None)
            }
            (passed, expected) => {
                let refused = passed.is_err();
                Err(TestCaseError::fail(format!("refused: {refused}, where {expected:?} is right")))
            }
        }
    }

    /// In any generation, counting those that have their lease by all limits there were.
    fn no_more_probes_than_allowed(&self, call: Call) -> Result<(), TestCaseError> {
        let lease = self.lease;
        let live =
            |other: &Call| other.probe && other.episode == call.episode && call.since - other.since < lease;
        let running = self.running.iter().filter(|(_, other)| live(other)).count();
        prop_assert!(
            !call.probe || running < self.model.limits.half_open_calls as usize,
            "{} probes",
            running
        );
        Ok(())
    }

    fn leave(&mut self, (pass, call): (S::Pass, Call), outcome: Outcome) {
        let slow = self.model.is_slow(call, self.subject.now());
        self.model.record(call, outcome, self.subject.now());
        self.subject.leave(pass, outcome, slow);
        self.ended += u64::from(call.counted);
    }

    fn succeed(&mut self) -> Result<(), TestCaseError> {
        if let Some(call) = self.enter()? {
            self.leave(call, Outcome::Success);
        }
        Ok(())
    }

    fn take(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(time) => self.subject.wait(time),
            Step::Enter => {
                let admitted = self.enter()?;
                self.running.extend(admitted);
            }
            Step::Leave(index, outcome) if !self.running.is_empty() => {
                let call = self.running.swap_remove(index.index(self.running.len()));
                self.leave(call, outcome);
            }
            Step::Leave(..) => {}
            Step::Succeed(times) => (0..times).try_for_each(|_| self.succeed())?,
            Step::Control(control) => {
                self.model.control(control, self.subject.now());
                self.subject.control(control);
                if control == Control::Reset {
                    self.ended = 0;
                }
            }
            Step::Reconfigure(limits) => {
                self.model.reconfigure(limits, self.subject.now());
                self.subject.reconfigure(limits);
                self.lease = self.lease.min(nanos(limits.half_open_timeout));
            }
            Step::Report => {
                let expected = self.model.report(self.subject.now());
                prop_assert_eq!(self.subject.report(), expected);
            }
        }
        self.each_event_follows_the_one_before()
    }

    fn each_event_follows_the_one_before(&mut self) -> Result<(), TestCaseError> {
        let told = self.subject.told();
        for transition in &told {
            let last = if transition.observed { &mut self.would_be } else { &mut self.state };
            prop_assert_eq!(transition.from, *last, "{:?}", transition);
            *last = transition.to;
            self.would_be = match (transition.observed, transition.to, transition.from) {
                (true, to, _) => to,
                // It goes on from where it was, if it was anywhere.
                (false, CircuitState::Observing, from @ (CircuitState::Open | CircuitState::HalfOpen)) => {
                    from
                }
                (false, ..) => CircuitState::Closed,
            };
        }
        prop_assert_eq!(told, std::mem::take(&mut self.model.told));
        prop_assert_eq!(self.state, self.model.state());
        Ok(())
    }

    /// With healthy calls from here on, and every running one lost, it closes within its bound.
    fn heals(&mut self) -> Result<(), TestCaseError> {
        let limits = Limits { hand: Hand::Off, ..self.model.limits };
        self.take(Step::Reconfigure(limits))?;
        self.take(Step::Control(Control::Resume))?;
        // Longer than it can be open, whatever the limits were then.
        let open = Duration::from_nanos(60);
        // A success may complete the minimum that an earlier failure waits for: it opens once more.
        for wait in [open, limits.half_open_timeout, open] {
            self.take(Step::Wait(nanos(wait)))?;
            self.take(Step::Succeed(12))?;
        }
        self.take(Step::Wait(nanos(limits.ramp.unwrap_or_default())))?;
        prop_assert_eq!(self.state, CircuitState::Closed);
        prop_assert!(self.enter()?.is_some());
        Ok(())
    }

    fn conserves(&self) -> Result<(), TestCaseError> {
        let ended = self.subject.ended();
        prop_assert!(ended.is_none_or(|ended| ended == self.ended), "{:?} ended, of {}", ended, self.ended);
        Ok(())
    }
}

pub(super) fn agrees<S: Subject>((limits, steps): (Limits, Vec<Step>)) -> Result<(), TestCaseError> {
    let mut pair = Pair::<S>::new(limits);
    steps.into_iter().try_for_each(|step| pair.take(step))?;
    pair.conserves()?;
    pair.heals()
}
