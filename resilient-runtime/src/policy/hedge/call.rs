//! One call and its attempts, which run side by side in one task.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use pin_project_lite::pin_project;
use tokio::time::Instant;

use super::{
    ABANDONED, DEADLINE, DROPPED, FAILED, FIRST, HEDGED, HEDGES, Hedge, PANICKED, Plan, REFUSED, STEM,
    Shared, WITHIN,
};
use crate::clock;
use crate::error::Rejected;
use crate::events::{EventKind, HedgeCause, RetryEnd};
use crate::frame::{self, Deadline, Trial};
use crate::level::{ByClass, Judge};
use crate::outcome::{Cause, Class};
use crate::policy::budget::Payer;
use crate::progress::Progress;
use crate::registry::{self, Record};
use crate::timer::Timer;

/// The longest wait that a dependency may ask for before the next attempt.
const LONGEST_HINT: Duration = Duration::from_secs(30);

/// What decides about the answer `O` of an attempt.
pub trait Rules<O> {
    /// When another attempt may start for it, unless it is good.
    fn judge(&self, out: &O) -> Option<Pace>;
    fn is_ok(&self, out: &O) -> bool;
}

/// When the next attempt may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    AtOnce,
    /// Not for this answer, only when another attempt is slow.
    Unchanged,
    NotBefore(Duration),
    Never,
}

impl Pace {
    fn after(cause: &Cause) -> Self {
        match cause {
            // Whatever refused this one refuses the next one too.
            Cause::Rejected(rejected) if !matches!(rejected, Rejected::TimedOut { .. }) => Self::Never,
            Cause::Class(Class::Throttled { after: Some(after) }) if *after > LONGEST_HINT => Self::Never,
            Cause::Class(Class::Throttled { after: Some(after) }) => Self::NotBefore(*after),
            Cause::Class(Class::Throttled { after: None }) => Self::Unchanged,
            _ => Self::AtOnce,
        }
    }
}

impl<O, C: Judge<O>> Rules<O> for ByClass<C> {
    fn judge(&self, out: &O) -> Option<Pace> {
        by_class::<O, C>(out)
    }

    fn is_ok(&self, out: &O) -> bool {
        C::is_ok(out)
    }
}

fn by_class<O, C: Judge<O>>(out: &O) -> Option<Pace> {
    let cause = C::cause(out)?;
    (!cause.class().is_answer()).then(|| Pace::after(&cause))
}

/// The user's predicates decide about the user's errors and values.
#[derive(Debug)]
pub struct ByFunctions<C, T, E> {
    class: PhantomData<C>,
    when: Option<fn(&E) -> bool>,
    when_ok: Option<fn(&T) -> bool>,
}

impl<C, T, E> ByFunctions<C, T, E> {
    pub(super) const fn new(when: Option<fn(&E) -> bool>, when_ok: Option<fn(&T) -> bool>) -> Self {
        Self { class: PhantomData, when, when_ok }
    }
}

impl<O, C: Judge<O>> Rules<O> for ByFunctions<C, C::Value, C::Error> {
    fn judge(&self, out: &O) -> Option<Pace> {
        match (C::seen(out), self.when) {
            (Ok(Ok(value)), _) => {
                self.when_ok.is_some_and(|unwanted| unwanted(value)).then_some(Pace::AtOnce)
            }
            (Ok(Err(error)), Some(when)) if when(error) => C::cause(out).as_ref().map(Pace::after),
            (Ok(Err(_)), Some(_)) => None,
            _ => by_class::<O, C>(out),
        }
    }

    fn is_ok(&self, out: &O) -> bool {
        C::is_ok(out)
    }
}

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

pin_project! {
    /// A call of up to so many attempts.
    ///
    /// `O` is what `F` gives: to look that up with lifetimes erased, as the compiler does to see whether a future
    /// is `Send`, fails for layers that live in statics.
    #[must_use = "futures do nothing unless polled"]
    pub struct Hedged<'a, M, F, O, R> {
        #[pin]
        first: Option<F>,
        // By their number from the second on; empty where one has ended.
        others: Vec<Option<Pin<Box<F>>>>,
        make: M,
        rules: R,
        call: Call<'a>,
        // The first attempt's, kept in case none is good.
        failed: Option<O>,
    }
}

/// What is known of a call beside its attempts.
#[derive(Debug)]
struct Call<'a> {
    shared: &'a Shared,
    plan: Plan,
    next: Next,
    /// When the first attempt first had to wait, if its time is to be told.
    since: Option<Instant>,
    started: u32,
    turn: u32,
    held_back: bool,
    progress: Progress,
    /// Of the attempts; nobody if the hedge was off when the call began, which then is no attempt.
    payer: Payer,
}

impl<M, F, O, R> fmt::Debug for Hedged<'_, M, F, O, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedged").field("call", &self.call).finish_non_exhaustive()
    }
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

impl Call<'_> {
    fn count(&self, counter: usize) {
        self.shared.tally.add(counter, 1);
    }

    /// Takes what it goes by from now on.
    fn begin(&mut self) {
        self.plan = self.shared.plan();
        if frame::payer() != Payer::NOBODY {
            self.count(WITHIN);
        }
        if self.plan != Plan::OFF {
            self.payer = self.shared.payer();
        }
    }

    /// Runs user code that belongs to an attempt.
    fn enter<T>(&self, number: u32, attempt: impl FnOnce() -> T) -> T {
        let trial = Trial::first(self.payer).nth(number);
        let _attempting = frame::enter_attempt(trial, Deadline::NONE);
        attempt()
    }

    /// The first attempt has to wait.
    fn waits(&mut self) {
        if self.since.is_none() && self.plan.quantile().is_some() {
            self.since = Some(clock::now());
        }
    }

    /// An attempt has failed.
    fn failed(&mut self, pace: Pace) {
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

    fn poll_timer(&mut self, cx: &mut Context<'_>) {
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
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Option<HedgeCause> {
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
    fn begin_next(&mut self, cause: HedgeCause) -> Option<u32> {
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
    fn may_begin(&self) -> bool {
        self.started < self.plan.max() && matches!(self.next, Next::At(_) | Next::NotBefore(_))
    }

    /// An attempt has the answer; `tells` says that the time until now is one of the first attempt.
    fn won(&mut self, number: u32, tells: bool) {
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
}

impl<'a, M, F, O, R> Hedged<'a, M, F, O, R> {
    pub(super) const fn new(shared: &'a Shared, make: M, rules: R) -> Self {
        let call = Call {
            shared,
            plan: Plan(0),
            next: Next::Open,
            since: None,
            started: 0,
            turn: 0,
            held_back: false,
            progress: Progress::Fresh,
            payer: Payer::NOBODY,
        };
        Self { first: None, others: Vec::new(), make, rules, call, failed: None }
    }
}

impl<M, F, O, R> Hedged<'_, M, F, O, R>
where
    M: FnMut() -> F,
    F: Future<Output = O>,
    R: Rules<O>,
{
    /// Polls one attempt, if it still runs; gives the answer if that is good.
    fn poll_attempt(self: Pin<&mut Self>, number: u32, cx: &mut Context<'_>) -> Option<O> {
        let mut this = self.project();
        let polled = if number == 1 {
            let attempt = this.first.as_mut().as_pin_mut()?;
            this.call.enter(1, || attempt.poll(cx))
        } else {
            let attempt = this.others.get_mut(number as usize - 2)?.as_mut()?;
            this.call.enter(number, || attempt.as_mut().poll(cx))
        };
        let Poll::Ready(out) = polled else {
            this.call.waits();
            return None;
        };
        if number == 1 {
            this.first.set(None);
        } else if let Some(attempt) = this.others.get_mut(number as usize - 2) {
            *attempt = None;
        }
        let Some(pace) = this.rules.judge(&out) else {
            // A first attempt that lost takes at least as long. Were those left out, the times would seem
            // shorter with every hedge that wins, and more and more calls slow.
            let tells = if number == 1 { this.rules.is_ok(&out) } else { this.first.is_some() };
            this.call.won(number, tells);
            return Some(out);
        };
        this.call.failed(pace);
        this.call.poll_timer(cx);
        if number == 1 {
            *this.failed = Some(out);
        }
        None
    }

    /// Starts further attempts as long as one is due.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Option<O> {
        loop {
            let this = self.as_mut().project();
            let cause = this.call.poll_due(cx)?;
            let number = this.call.begin_next(cause)?;
            let attempt = this.call.enter(number, || Box::pin((this.make)()));
            this.others.push(Some(attempt));
            this.call.count(HEDGES);
            if let Some(out) = self.as_mut().poll_attempt(number, cx) {
                return Some(out);
            }
        }
    }

    fn running(&self) -> u64 {
        let others = self.others.iter().flatten().count() as u64;
        others + u64::from(self.first.is_some())
    }

    /// Ends the other attempts where they stand.
    fn drop_losers(mut self: Pin<&mut Self>) {
        let losers = self.running();
        let mut this = self.as_mut().project();
        this.call.shared.tally.add(DROPPED, losers);
        this.first.set(None);
        this.others.clear();
        this.call.next = Next::Never;
    }
}

impl<M, F, O, R> Future for Hedged<'_, M, F, O, R>
where
    M: FnMut() -> F,
    F: Future<Output = O>,
    R: Rules<O>,
{
    type Output = O;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<O> {
        let mut this = self.as_mut().project();
        match this.call.progress {
            // Whoever polls again must not start the body anew.
            Progress::Done => return Poll::Pending,
            Progress::Fresh => {
                this.call.progress = Progress::Polling;
                this.call.begin();
                this.call.started = 1;
                let attempt = this.call.enter(1, || (this.make)());
                this.first.set(Some(attempt));
            }
            Progress::Polling | Progress::Waiting => {
                this.call.progress = Progress::Polling;
                // Before the attempts, which may use up at every poll what a task may do.
                this.call.poll_timer(cx);
            }
        }
        // Each is the first to be polled in turn: what a task may do in one go is soon used up.
        let (started, turn) = (this.call.started, this.call.turn);
        this.call.turn = turn.wrapping_add(1);
        let mut answer = None;
        for n in 0..started {
            let number = turn.wrapping_add(n) % started + 1;
            answer = self.as_mut().poll_attempt(number, cx);
            if answer.is_some() {
                break;
            }
        }
        if let Some(out) = answer.or_else(|| self.as_mut().poll_next(cx)) {
            self.drop_losers();
            return Poll::Ready(out);
        }
        let ended = self.running() == 0 && !self.call.may_begin();
        let this = self.project();
        if let Some(out) = this.failed.take_if(|_| ended) {
            this.call.progress = Progress::Done;
            this.call.count(FAILED);
            return Poll::Ready(out);
        }
        this.call.progress = Progress::Waiting;
        Poll::Pending
    }
}

/// The layer of an annotated function.
#[inline]
pub fn hedge<const N: usize, M, F, C>(
    function: &'static Record<N>,
    layer: usize,
    make: M,
    _: C,
) -> Hedged<'static, M, F, F::Output, ByClass<C>>
where
    M: FnMut() -> F,
    F: Future,
{
    Hedged::new(function.policy::<Hedge>(layer).shared(), make, ByClass::NEW)
}

/// The same with the user's own predicates.
#[expect(clippy::too_many_arguments, clippy::type_complexity, reason = "written by the expansion only")]
pub fn hedge_with<const N: usize, M, F, C>(
    function: &'static Record<N>,
    layer: usize,
    make: M,
    _: C,
    when: Option<fn(&<C as Judge<F::Output>>::Error) -> bool>,
    when_ok: Option<fn(&<C as Judge<F::Output>>::Value) -> bool>,
) -> Hedged<
    'static,
    M,
    F,
    F::Output,
    ByFunctions<C, <C as Judge<F::Output>>::Value, <C as Judge<F::Output>>::Error>,
>
where
    M: FnMut() -> F,
    F: Future,
    C: Judge<F::Output>,
{
    Hedged::new(function.policy::<Hedge>(layer).shared(), make, ByFunctions::new(when, when_ok))
}

/// A value that is not `Copy`, so that a block which is not `async move` takes it all the same.
#[derive(Debug)]
pub struct Own<T>(T);

/// Makes it so.
#[inline]
pub const fn own<T>(value: T) -> Own<T> {
    Own(value)
}

impl<T> Own<T> {
    /// The value again.
    #[inline]
    pub fn take(self) -> T {
        self.0
    }
}
