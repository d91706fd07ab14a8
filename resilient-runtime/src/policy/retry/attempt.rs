//! One attempt of an annotated function, and the wait behind it.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::state::{Next, Retrying, Rules, settle};
use super::wait::Waiting;
use super::{RetryCause, RetryPolicy};
use crate::level::Failing;
use crate::outcome::Causes;

pin_project! {
    /// One attempt. The wait takes the room of the call, so that the two cost an annotated function one
    /// `.await`, and its future no more than the larger.
    #[must_use = "futures do nothing unless polled"]
    pub struct Attempt<F, C, R> {
        #[pin]
        step: Step<F>,
        // Gone once it has been handed back, so that it is neither stored twice nor pointed to.
        retrying: Option<Retrying<&'static RetryPolicy>>,
        rules: R,
        class: PhantomData<C>,
    }
}

impl<F, C, R> fmt::Debug for Attempt<F, C, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt").field("retrying", &self.retrying).finish_non_exhaustive()
    }
}

pin_project! {
    #[project = StepProjection]
    enum Step<F> {
        Running { #[pin] inner: F },
        Waiting { #[pin] wait: Waiting },
    }
}

impl<F, C, R, T, X> Future for Attempt<F, C, R>
where
    F: Future<Output = Result<T, X>>,
    X: Failing,
    C: Causes<X::Error>,
    R: Rules<T, X::Error>,
{
    type Output = After<Result<T, X>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        if let StepProjection::Running { inner } = this.step.as_mut().project() {
            // Polled after the end, which no caller may do.
            let Some(Retrying { terms, state }) = this.retrying else { return Poll::Pending };
            let out = ready!(state.poll_attempt(inner, cx));
            match settle(state, *terms, out, C::cause, this.rules) {
                Next::Done(out) => {
                    *this.retrying = None;
                    return Poll::Ready(After::Done(out));
                }
                Next::Wait(wait) => this.step.set(Step::Waiting { wait: wait.into_future() }),
            }
        }
        if let StepProjection::Waiting { wait } = this.step.project() {
            ready!(wait.poll(cx));
        }
        this.retrying.take().map_or(Poll::Pending, |retrying| Poll::Ready(After::Again(retrying)))
    }
}

/// What follows an attempt.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "the expansion matches on it")]
pub enum After<R> {
    /// The answer.
    Done(R),
    /// Another attempt, of the same call.
    Again(Retrying<&'static RetryPolicy>),
}

/// The class of an error decides.
#[derive(Debug)]
pub struct ByClass;

impl<T, E> Rules<T, E> for ByClass {}

/// The user's own rules.
#[derive(Debug)]
pub struct ByFunctions<T, E> {
    when: Option<fn(&E) -> bool>,
    when_ok: Option<fn(&T) -> bool>,
    on_retry: Option<fn(u32, Duration, RetryCause<'_, E>)>,
}

impl<T, E> Rules<T, E> for ByFunctions<T, E> {
    fn when(&self, error: &E) -> Option<bool> {
        self.when.map(|when| when(error))
    }

    fn when_ok(&self, value: &T) -> bool {
        self.when_ok.is_some_and(|when_ok| when_ok(value))
    }

    fn on_retry(&self, attempt: u32, delay: Duration, cause: RetryCause<'_, E>) {
        if let Some(on_retry) = self.on_retry {
            on_retry(attempt, delay, cause);
        }
    }
}

/// Runs and judges one attempt, which knows its number and its deadline, and waits for the next.
#[inline]
pub fn attempt<F, C>(mut retrying: Retrying<&'static RetryPolicy>, inner: F, _: C) -> Attempt<F, C, ByClass> {
    retrying.begin();
    Attempt { step: Step::Running { inner }, retrying: Some(retrying), rules: ByClass, class: PhantomData }
}

/// The same with the user's own rules.
#[expect(clippy::too_many_arguments, clippy::type_complexity, reason = "written by the expansion only")]
pub fn attempt_with<F, C, T, X>(
    mut retrying: Retrying<&'static RetryPolicy>,
    inner: F,
    _: C,
    when: Option<fn(&X::Error) -> bool>,
    when_ok: Option<fn(&T) -> bool>,
    on_retry: Option<fn(u32, Duration, RetryCause<'_, X::Error>)>,
) -> Attempt<F, C, ByFunctions<T, X::Error>>
where
    F: Future<Output = Result<T, X>>,
    X: Failing,
{
    retrying.begin();
    let rules = ByFunctions { when, when_ok, on_retry };
    Attempt { step: Step::Running { inner }, retrying: Some(retrying), rules, class: PhantomData }
}
