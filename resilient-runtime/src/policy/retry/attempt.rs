//! One attempt of an annotated function, and the wait behind it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::state::{Next, Retrying, Rules, settle};
use super::wait::Waiting;
use super::{RetryCause, RetryPolicy};
use crate::level::{ByClass, Judge};
use crate::outcome::Cause;

pin_project! {
    /// One attempt. The wait takes the room of the call, so that the two cost an annotated function one
    /// `.await`, and its future no more than the larger.
    #[must_use = "futures do nothing unless polled"]
    pub struct Attempt<'a, F, R> {
        #[pin]
        step: Step<F>,
        retrying: &'a mut Retrying<&'static RetryPolicy>,
        rules: R,
    }
}

impl<F, R> fmt::Debug for Attempt<'_, F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("retrying", &self.retrying).finish_non_exhaustive()
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Running { #[pin] inner: F },
        Waiting { wait: Waiting },
    }
}

impl<F, R> Future for Attempt<'_, F, R>
where
    F: Future,
    R: Rules<F::Output>,
{
    type Output = After<F::Output>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StepProjection::Running { inner } = this.step.as_mut().project() {
            let Retrying { terms, state } = &mut **this.retrying;
            let out = ready!(state.poll_attempt(terms, inner, cx));
            match settle(state, terms, out, this.rules) {
                Next::Done(out) => return Poll::Ready(After::Done(out)),
                Next::Wait(delay) => this.step.set(Step::Waiting { wait: state.wait(delay) }),
            }
        }
        if let StepProjection::Waiting { wait } = this.step.project() {
            ready!(wait.poll(cx));
        }
        let Retrying { terms, state } = &mut **this.retrying;
        state.again(terms);
        Poll::Ready(After::Again)
    }
}

/// What follows an attempt.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the expansion matches on it")]
pub enum After<R> {
    /// The answer.
    Done(R),
    /// Another attempt.
    Again,
}

impl<O, C: Judge<O>> Rules<O> for ByClass<C> {
    #[inline]
    fn cause(&self, out: &O) -> Option<Cause> {
        C::cause(out)
    }
}

/// The user's own rules.
#[derive(Debug)]
pub struct ByFunctions<C, T, E> {
    class: PhantomData<C>,
    when: Option<fn(&E) -> bool>,
    when_ok: Option<fn(&T) -> bool>,
    on_retry: Option<fn(u32, Duration, RetryCause<'_, E>)>,
}

impl<O, C: Judge<O>> Rules<O> for ByFunctions<C, C::Value, C::Error> {
    fn cause(&self, out: &O) -> Option<Cause> {
        C::cause(out)
    }

    fn says(&self, out: &O) -> Option<bool> {
        match C::seen(out).ok()? {
            Ok(value) => self.when_ok.map(|when_ok| when_ok(value)),
            Err(error) => self.when.map(|when| when(error)),
        }
    }

    fn on_retry(&self, attempt: u32, delay: Duration, out: &O) {
        if let Some(on_retry) = self.on_retry {
            on_retry(attempt, delay, RetryCause::of(C::seen(out)));
        }
    }
}

/// Runs and judges one attempt, which knows its number and its deadline, and waits for the next.
#[inline]
pub fn attempt<'a, F, C>(
    retrying: &'a mut Retrying<&'static RetryPolicy>,
    inner: F,
    _: C,
) -> Attempt<'a, F, ByClass<C>> {
    Attempt::new(retrying, inner, ByClass::NEW)
}

/// The same with the user's own rules.
#[expect(clippy::too_many_arguments, clippy::type_complexity, reason = "written by the expansion only")]
pub fn attempt_with<'a, F, C>(
    retrying: &'a mut Retrying<&'static RetryPolicy>,
    inner: F,
    _: C,
    when: Option<fn(&<C as Judge<F::Output>>::Error) -> bool>,
    when_ok: Option<fn(&<C as Judge<F::Output>>::Value) -> bool>,
    on_retry: Option<fn(u32, Duration, RetryCause<'_, <C as Judge<F::Output>>::Error>)>,
) -> Attempt<'a, F, ByFunctions<C, <C as Judge<F::Output>>::Value, <C as Judge<F::Output>>::Error>>
where
    F: Future,
    C: Judge<F::Output>,
{
    Attempt::new(retrying, inner, ByFunctions { class: PhantomData, when, when_ok, on_retry })
}

impl<'a, F, R> Attempt<'a, F, R> {
    #[inline]
    fn new(retrying: &'a mut Retrying<&'static RetryPolicy>, inner: F, rules: R) -> Self {
        Self { step: Step::Running { inner }, retrying, rules }
    }
}
