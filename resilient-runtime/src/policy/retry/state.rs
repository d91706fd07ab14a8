//! One retried call: what it may do after each attempt.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use resilient_settings::{Backoff, Previous, Schedule};

use super::policy::Agreed;
use super::wait::Waiting;
use super::{Nested, RetryPolicy, STEM, Settings};
use crate::error::Rejected;
use crate::events::{EventKind, RetryEnd};
use crate::frame::{self, Deadline, Trial};
use crate::function::Function;
use crate::level::Seen;
use crate::outcome::{Cause, Class};
use crate::policy::budget::{EARNED, Payer, Purse, UNEARNED};
use crate::progress::Progress;
use crate::record::LayerSite;
use crate::registry;
use crate::{clock, random};

/// Its calls earn, so that is where the budget looks.
pub(super) const FIRST_TRY: usize = EARNED;
pub(super) const AFTER_RETRY: usize = 1;
pub(super) const EXHAUSTED: usize = 2;
pub(super) const NOT_RETRYABLE: usize = 3;
pub(super) const DEADLINE: usize = 4;
pub(super) const BUDGET: usize = 5;
pub(super) const RETRY_AFTER: usize = 6;
pub(super) const ABANDONED: usize = 7;
pub(super) const PANICKED: usize = 8;
pub(super) const RETRIES: usize = 9;
pub(super) const ONCE: usize = 11;
/// Retries inside an attempt of another retry.
pub(super) const NESTED: usize = 12;
/// Calls that another budget pays for.
pub(super) const PAID_FOR: usize = UNEARNED;
/// First tries that earn for another budget than the policy's.
pub(super) const FIRST_TRY_ELSEWHERE: usize = 10;

/// Who sets the terms: a registered policy, or a value made by hand.
pub trait Terms {
    fn name(&self) -> &'static str;
    fn begin(&self) -> Start;
    /// The first attempt of a call is over and was no success.
    fn first_failed(&self, kept: &mut Option<&'static Agreed>);
    /// A call begins that another budget pays for, and that earns for that one.
    fn paid_for(&self);
    /// The settings of this call, kept from the first time it needs them.
    fn settings<'a>(&'a self, kept: &mut Option<&'static Agreed>) -> &'a Settings;
    /// Whether the budget pays for another attempt.
    fn pays(&self, kept: Option<&'static Agreed>) -> bool;
    fn count(&self, counter: usize);
}

/// What a call knows when it begins: its first attempt, and when it has to end.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    pub(super) trial: Trial,
    pub(super) deadline: Deadline,
}

impl Start {
    /// Of a retry that is switched off.
    pub(super) const OFF: Self = Self { trial: Trial::OUTSIDE, deadline: Deadline::NONE };
}

/// What decides about the answer `O` of an attempt.
pub trait Rules<O> {
    /// Why it is a failure, if it is.
    fn cause(&self, out: &O) -> Option<Cause>;

    /// Whether the user wants another attempt; nothing leaves it to the cause.
    fn says(&self, _out: &O) -> Option<bool> {
        None
    }

    /// Attempt `attempt` gave `out`, and another one follows after `delay`.
    fn on_retry(&self, _attempt: u32, _delay: Duration, _out: &O) {}
}

/// Why an attempt is not the last one, as `on_retry` is told.
#[derive(Debug)]
#[non_exhaustive]
pub enum RetryCause<'a, E> {
    /// It failed.
    Failed(&'a E),
    /// A policy refused it or gave it up.
    Rejected(&'a Rejected),
    /// Its value is one that `when_ok` does not want.
    Unwanted,
}

impl<E> Clone for RetryCause<'_, E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for RetryCause<'_, E> {}

impl<E: fmt::Display> fmt::Display for RetryCause<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Unwanted => f.write_str("unwanted value"),
        }
    }
}

impl<'a, E> RetryCause<'a, E> {
    pub(super) fn of<T>(seen: Seen<'a, T, E>) -> Self {
        match seen {
            Ok(Err(error)) => Self::Failed(error),
            Ok(Ok(_)) => Self::Unwanted,
            Err(rejected) => Self::Rejected(rejected),
        }
    }
}

/// What follows an attempt.
#[derive(Debug)]
pub(super) enum Next<R> {
    /// The answer.
    Done(R),
    /// Another attempt, after this.
    Wait(Duration),
}

/// Where a call stands.
#[derive(Debug)]
pub(super) struct State {
    kept: Option<&'static Agreed>,
    /// When the time of `within` is up.
    deadline: Deadline,
    previous: Previous,
    trial: Trial,
    progress: Progress,
}

/// A retried call, from its first attempt to its answer.
#[derive(Debug)]
pub struct Retrying<P: Terms> {
    pub(super) terms: P,
    pub(super) state: State,
}

/// The layer of an annotated function.
#[inline]
#[must_use]
pub fn retry(
    function: &'static Function,
    layer: &'static LayerSite<RetryPolicy>,
) -> Retrying<&'static RetryPolicy> {
    let policy: &RetryPolicy = layer.policy(function);
    let Start { trial, deadline } = policy.begin();
    // The expansion copies the arguments before it makes the attempt.
    Retrying { terms: policy, state: State { trial, deadline, progress: Progress::Polling, ..State::FRESH } }
}

impl<P: Terms> Retrying<P> {
    #[inline]
    pub(super) const fn new(terms: P) -> Self {
        Self { terms, state: State::FRESH }
    }

    /// An attempt is due; with the first one the call begins.
    pub(super) fn begin(&mut self) {
        if self.state.trial.number() == 1 {
            let Start { trial, deadline } = self.terms.begin();
            (self.state.trial, self.state.deadline) = (trial, deadline);
        }
    }

    #[cold]
    fn cut_short(&mut self) {
        if self.state.trial.number() == 1 && !self.state.is_off() {
            self.terms.first_failed(&mut self.state.kept);
        }
        self.terms.count(if self.state.progress == Progress::Polling { PANICKED } else { ABANDONED });
    }
}

impl<P: Terms> Drop for Retrying<P> {
    #[inline]
    fn drop(&mut self) {
        if let Progress::Polling | Progress::Waiting = self.state.progress {
            self.cut_short();
        }
    }
}

/// Judges what an attempt gave.
#[inline]
pub(super) fn settle<O>(state: &mut State, terms: &impl Terms, out: O, rules: &impl Rules<O>) -> Next<O> {
    let cause = rules.cause(&out);
    let said = rules.says(&out);
    if cause.is_none() && said != Some(true) {
        state.end(terms, if state.trial.number() == 1 { FIRST_TRY } else { AFTER_RETRY });
        return Next::Done(out);
    }
    let attempt = state.trial.number();
    let Some(delay) = state.next(terms, cause.as_ref(), said) else { return Next::Done(out) };
    contain(terms, || rules.on_retry(attempt, delay, &out));
    Next::Wait(delay)
}

/// Runs a hook whose panic is none of the call's business.
fn contain(terms: &impl Terms, hook: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(hook)).is_err() {
        let policy = terms.name();
        tracing::error!(target: "resilient", stem = STEM.name, policy, "retry `{policy}`: `on_retry` panicked");
    }
}

impl State {
    const FRESH: Self = Self {
        kept: None,
        deadline: Deadline::NONE,
        previous: Previous::NONE,
        trial: Trial::OUTSIDE,
        progress: Progress::Fresh,
    };

    /// Runs user code that belongs to the attempt.
    #[inline]
    pub(super) fn enter<R>(&mut self, attempt: impl FnOnce() -> R) -> R {
        self.progress = Progress::Polling;
        let _attempting = frame::enter_attempt(self.trial, self.deadline, || {});
        attempt()
    }

    #[inline]
    pub(super) fn poll_attempt<F: Future>(
        &mut self,
        terms: &impl Terms,
        attempt: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<F::Output> {
        let attempting = frame::enter_attempt(self.trial, self.deadline, || self.paid_for(terms));
        self.progress = Progress::Polling;
        let out = attempt.poll(cx);
        drop(attempting);
        if out.is_pending() {
            self.progress = Progress::Waiting;
        }
        out
    }

    /// Told at each poll.
    fn paid_for(&self, terms: &impl Terms) {
        if self.progress == Progress::Polling && self.trial.number() == 1 {
            terms.paid_for();
        }
    }

    #[inline]
    pub(super) fn wait(&mut self, delay: Duration) -> Waiting {
        let wait = Waiting::new(delay);
        self.progress = Progress::Waiting;
        wait
    }

    /// Whether the call began while the retry was switched off.
    fn is_off(&self) -> bool {
        self.trial == Trial::OUTSIDE
    }

    /// The wait is over.
    pub(super) fn again(&mut self, terms: &impl Terms) {
        self.progress = Progress::Polling;
        terms.count(RETRIES);
        if is_nested() {
            terms.count(NESTED);
        }
    }

    #[inline]
    pub(super) const fn attempt(&self) -> u32 {
        self.trial.number()
    }

    fn end(&mut self, terms: &impl Terms, counter: usize) {
        self.progress = Progress::Done;
        terms.count(counter);
    }

    /// Goes on to the next attempt and says how long to wait for it, or ends the call.
    ///
    /// `said` is what the user's predicate says, `cause` is missing for an unwanted value.
    #[cold]
    fn next(&mut self, terms: &impl Terms, cause: Option<&Cause>, said: Option<bool>) -> Option<Duration> {
        let class = || cause.map(Cause::class);
        let worth_it = said.unwrap_or_else(|| !class().is_some_and(Class::is_answer));
        if self.is_off() {
            self.end(terms, if worth_it { EXHAUSTED } else { NOT_RETRYABLE });
            return None;
        }
        let attempt = self.trial.number();
        if attempt == 1 {
            terms.first_failed(&mut self.kept);
            if is_nested() {
                registry::emit(STEM.name, terms.name(), || EventKind::Nested);
            }
        }
        let decided = if worth_it { self.decide(terms, cause) } else { Err(RetryEnd::NotRetryable) };
        match decided {
            Ok(delay) => {
                registry::emit(STEM.name, terms.name(), || EventKind::Retrying {
                    attempt,
                    delay,
                    class: class(),
                });
                self.trial = self.trial.nth(attempt + 1);
                Some(delay)
            }
            Err(reason) => {
                self.end(terms, counter(reason));
                let attempts = attempt;
                registry::emit(STEM.name, terms.name(), || EventKind::GaveUp {
                    attempts,
                    reason,
                    class: class(),
                });
                None
            }
        }
    }

    fn decide(&mut self, terms: &impl Terms, cause: Option<&Cause>) -> Result<Duration, RetryEnd> {
        let settings = terms.settings(&mut self.kept);
        let attempt = self.trial.number();
        if attempt >= settings.attempts() {
            return Err(RetryEnd::Exhausted);
        }
        if settings.nested == Nested::Once && is_nested() {
            return Err(RetryEnd::Once);
        }
        let delay = delay(settings, attempt - 1, &mut self.previous, cause)?;
        if self.reaches_deadline(delay) {
            return Err(RetryEnd::Deadline);
        }
        let paid = frame::payer().purse().map_or_else(|| terms.pays(self.kept), Purse::take);
        if paid { Ok(delay) } else { Err(RetryEnd::Budget) }
    }

    fn reaches_deadline(&self, delay: Duration) -> bool {
        let nearest = match (self.deadline.instant(), frame::deadline()) {
            (Some(own), Some(outer)) => Some(own.min(outer)),
            (own, outer) => own.or(outer),
        };
        nearest.is_some_and(|nearest| clock::now().checked_add(delay).is_none_or(|then| then >= nearest))
    }
}

/// Whether an attempt of another retry or hedge runs us.
fn is_nested() -> bool {
    frame::payer() != Payer::NOBODY
}

/// The wait before retry `n`, the first being 0.
fn delay(
    settings: &Settings,
    n: u32,
    previous: &mut Previous,
    cause: Option<&Cause>,
) -> Result<Duration, RetryEnd> {
    let Settings { schedule, max_retry_after, .. } = settings;
    let computed = match schedule.base {
        // Whatever the dice would say.
        Duration::ZERO => Duration::ZERO,
        _ => schedule.delay(n, random::unit(), previous),
    };
    match cause {
        Some(Cause::Class(Class::Throttled { after: Some(after) })) => {
            if after > max_retry_after {
                return Err(RetryEnd::RetryAfter);
            }
            Ok(computed.max(*after))
        }
        Some(Cause::Rejected(
            Rejected::CircuitOpen { retry_after, .. } | Rejected::RateLimited { retry_after, .. },
        )) => {
            // Nobody waits for a time that nobody knows: the breaker may be held open by hand.
            let after =
                retry_after.filter(|after| *after <= schedule.max_delay).ok_or(RetryEnd::RetryAfter)?;
            Ok(after.saturating_add(jittered_base(schedule)))
        }
        _ => Ok(computed),
    }
}

/// Spreads those who wait for the same moment.
fn jittered_base(schedule: &Schedule) -> Duration {
    let fixed = Schedule { backoff: Backoff::Fixed, ..*schedule };
    fixed.delay(0, random::unit(), &mut { Previous::NONE })
}

fn counter(reason: RetryEnd) -> usize {
    match reason {
        RetryEnd::Exhausted => EXHAUSTED,
        RetryEnd::NotRetryable => NOT_RETRYABLE,
        RetryEnd::Deadline => DEADLINE,
        RetryEnd::Budget => BUDGET,
        RetryEnd::RetryAfter => RETRY_AFTER,
        RetryEnd::Once => ONCE,
    }
}
