//! One call and its attempts, which run side by side in one task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::call::Call;
use super::rules::{ByFunctions, Rules};
use super::{HEDGES, Hedge, Shared};
use crate::function::Function;
use crate::level::{ByClass, Judge};
use crate::progress::Progress;
use crate::record::LayerSite;

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

impl<M, F, O, R> fmt::Debug for Hedged<'_, M, F, O, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hedged").field("call", &self.call).finish_non_exhaustive()
    }
}

impl<'a, M, F, O, R> Hedged<'a, M, F, O, R> {
    pub(super) const fn new(shared: &'a Shared, make: M, rules: R) -> Self {
        Self { first: None, others: Vec::new(), make, rules, call: Call::new(shared), failed: None }
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
        this.call.drops(losers);
        this.first.set(None);
        this.others.clear();
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
                let attempt = this.call.enter(1, || (this.make)());
                this.first.set(Some(attempt));
            }
            Progress::Polling | Progress::Waiting => {
                this.call.progress = Progress::Polling;
                // Before the attempts, which may use up at every poll what a task may do.
                this.call.poll_timer(cx);
            }
        }
        let mut turns = this.call.turns();
        let answer = turns.find_map(|number| self.as_mut().poll_attempt(number, cx));
        if let Some(out) = answer.or_else(|| self.as_mut().poll_next(cx)) {
            self.drop_losers();
            return Poll::Ready(out);
        }
        let ended = self.running() == 0 && !self.call.may_begin();
        let this = self.project();
        if let Some(out) = this.failed.take_if(|_| ended) {
            this.call.lost();
            return Poll::Ready(out);
        }
        this.call.progress = Progress::Waiting;
        Poll::Pending
    }
}

/// The layer of an annotated function.
#[inline]
pub fn hedge<M, F, C>(
    function: &'static Function,
    layer: &'static LayerSite<Hedge>,
    make: M,
    _: C,
) -> Hedged<'static, M, F, F::Output, ByClass<C>>
where
    M: FnMut() -> F,
    F: Future,
{
    Hedged::new(layer.policy(function).shared(), make, ByClass::NEW)
}

/// The same with the user's own predicates.
#[expect(clippy::too_many_arguments, clippy::type_complexity, reason = "written by the expansion only")]
pub fn hedge_with<M, F, C>(
    function: &'static Function,
    layer: &'static LayerSite<Hedge>,
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
    Hedged::new(layer.policy(function).shared(), make, ByFunctions::new(when, when_ok))
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
