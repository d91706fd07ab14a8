//! What is known of a call beside its attempts, and when the next of them is due.

use std::task::Context;
use std::time::Duration;

use tokio::time::Instant;

use super::rules::Pace;
use super::{
    ABANDONED, DEADLINE, DROPPED, FAILED, FIRST, HEDGED, PANICKED, Plan, REFUSED, STEM, Shared, WITHIN,
};
use crate::clock;
use crate::events::{EventKind, HedgeCause, RetryEnd};
use crate::frame::{self, Deadline, Trial};
use crate::policy::budget::Payer;
use crate::progress::Progress;
use crate::registry;
use crate::timer::Timer;

/// When the next attempt starts.
#[derive(Debug)]
enum Next {
    /// Nobody has said yet.
    Open,
    At(Timer),
    /// A dependency asked for it, so no failure makes it earlier.
    NotBefore(Timer),
    Now(HedgeCause),
    /// When an attempt fails, however slow they are.
    Failed,
    Never,
}

/// What is known of a call beside its attempts.
#[derive(Debug)]
pub(super) struct Call<'a> {
    shared: &'a Shared,
    plan: Plan,
    next: Next,
    /// When the first attempt first had to wait, if its time is to be told.
    since: Option<Instant>,
    started: u32,
    turn: u32,
    held_back: bool,
    pub(super) progress: Progress,
    /// Of the attempts; nobody if the hedge was off when the call began, which then is no attempt.
    payer: Payer,
}

impl Drop for Call<'_> {
    #[inline]
    fn drop(&mut self) {
        match self.progress {
            Progress::Polling => self.count(PANICKED),
            Progress::Waiting => self.count(ABANDONED),
            Progress::Fresh | Progress::Done => {}
        }
    }
}

impl<'a> Call<'a> {
    pub(super) const fn new(shared: &'a Shared) -> Self {
        Self {
            shared,
            plan: Plan(0),
            next: Next::Open,
            since: None,
            started: 0,
            turn: 0,
            held_back: false,
            progress: Progress::Fresh,
            payer: Payer::NOBODY,
        }
    }
}

impl Call<'_> {
    pub(super) fn count(&self, counter: usize) {
        self.shared.tally.add(counter, 1);
    }

    /// Takes what it goes by from now on, with one attempt to begin with.
    pub(super) fn begin(&mut self) {
        self.started = 1;
        self.plan = self.shared.plan();
        if frame::payer().purse().is_some() {
            self.count(WITHIN);
        }
        if self.plan != Plan::OFF {
            self.payer = self.shared.payer();
        }
    }

    /// The attempts in the order in which they are polled now.
    ///
    /// Each is the first in turn: what a task may do in one go is soon used up.
    pub(super) fn turns(&mut self) -> impl Iterator<Item = u32> + use<> {
        let (started, turn) = (self.started, self.turn);
        self.turn = turn.wrapping_add(1);
        (0..started).map(move |n| turn.wrapping_add(n) % started + 1)
    }

    /// Runs user code that belongs to an attempt.
    pub(super) fn enter<T>(&self, number: u32, attempt: impl FnOnce() -> T) -> T {
        let trial = Trial::first(self.payer).nth(number);
        let _attempting = frame::enter_attempt(trial, Deadline::NONE, || {});
        attempt()
    }

    /// The first attempt has to wait.
    pub(super) fn waits(&mut self) {
        if self.since.is_none() && self.plan.quantile().is_some() {
            self.since = Some(clock::now());
        }
    }

    /// An attempt has failed.
    pub(super) fn failed(&mut self, pace: Pace) {
        if self.started >= self.plan.max() {
            return;
        }
        match (pace, &self.next) {
            (_, Next::Never) | (Pace::Unchanged, _) | (Pace::AtOnce, Next::NotBefore(_)) => {}
            (Pace::AtOnce, _) => self.next = Next::Now(HedgeCause::Failed),
            (Pace::NotBefore(after), _) => {
                self.next = self.timer(after).map_or(Next::Never, Next::NotBefore);
            }
            (Pace::Never, _) => self.next = Next::Never,
        }
    }

    /// A wait for the next attempt, unless there is no time for one.
    fn timer(&mut self, delay: Duration) -> Option<Timer> {
        let reaches = |deadline| clock::now().checked_add(delay).is_none_or(|then| then >= deadline);
        if frame::deadline().is_some_and(reaches) {
            self.not_hedged(DEADLINE, RetryEnd::Deadline);
            return None;
        }
        Some(Timer::after(delay))
    }

    /// Told once of a call, however often it would have had another attempt.
    fn not_hedged(&mut self, counter: usize, reason: RetryEnd) {
        if std::mem::replace(&mut self.held_back, true) {
            return;
        }
        self.count(counter);
        registry::emit(STEM.name, self.shared.name, || EventKind::NotHedged { reason });
    }

    pub(super) fn poll_timer(&mut self, cx: &mut Context<'_>) {
        let (timer, cause) = match &mut self.next {
            Next::At(timer) => (timer, HedgeCause::Slow),
            Next::NotBefore(timer) => (timer, HedgeCause::Failed),
            _ => return,
        };
        if timer.poll(cx).is_ready() {
            self.next = Next::Now(cause);
        }
    }

    /// Whether another attempt is due, and why.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Option<HedgeCause> {
        if self.started >= self.plan.max() {
            return None;
        }
        if let Next::Open = self.next {
            self.next = match self.shared.after(self.plan) {
                None => Next::Failed,
                Some(Duration::ZERO) => Next::Now(HedgeCause::Slow),
                Some(delay) => self.timer(delay).map_or(Next::Failed, Next::At),
            };
            self.poll_timer(cx);
        }
        match self.next {
            Next::Now(cause) => Some(cause),
            _ => None,
        }
    }

    /// Begins another attempt and gives its number, if there is time for it and somebody pays.
    pub(super) fn begin_next(&mut self, cause: HedgeCause) -> Option<u32> {
        if frame::deadline().is_some_and(|deadline| clock::now() >= deadline) {
            self.next = Next::Never;
            self.not_hedged(DEADLINE, RetryEnd::Deadline);
            return None;
        }
        if !self.shared.pays() {
            self.next = Next::Never;
            self.not_hedged(REFUSED, RetryEnd::Budget);
            return None;
        }
        self.next = Next::Open;
        self.started += 1;
        let attempt = self.started;
        registry::emit(STEM.name, self.shared.name, || EventKind::Hedging { attempt, cause });
        Some(attempt)
    }

    /// Whether the answer can still come from an attempt that has not begun.
    pub(super) fn may_begin(&self) -> bool {
        self.started < self.plan.max() && matches!(self.next, Next::At(_) | Next::NotBefore(_))
    }

    /// An attempt has the answer; `tells` says that the time until now is one of the first attempt.
    pub(super) fn won(&mut self, number: u32, tells: bool) {
        self.progress = Progress::Done;
        self.count(if number == 1 { FIRST } else { HEDGED });
        if let Some(quantile) = self.plan.quantile()
            && tells
        {
            let time =
                self.since.map_or(Duration::ZERO, |since| clock::now().saturating_duration_since(since));
            self.shared.recent.record(time, quantile);
        }
        if number > 1 {
            registry::emit(STEM.name, self.shared.name, || EventKind::HedgeWon { attempt: number });
        }
    }

    /// The attempts that still run are dropped.
    pub(super) fn drops(&mut self, losers: u64) {
        self.shared.tally.add(DROPPED, losers);
        self.next = Next::Never;
    }

    /// No attempt was good.
    pub(super) fn lost(&mut self) {
        self.progress = Progress::Done;
        self.count(FAILED);
    }
}
