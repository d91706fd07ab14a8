//! Retried calls made by hand.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use pin_project_lite::pin_project;

use super::hand::{Hand, Set, Unset};
use super::state::{Next, Retrying, Rules, Terms, settle};
use super::wait::Waiting;
use super::{Retry, RetryCause};
use crate::outcome::Classify;

impl Retry {
    /// Runs `operation` until an attempt is good or the last one has been made.
    ///
    /// # Errors
    ///
    /// The error of the last attempt, unchanged.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the running attempt where it stands, and starts no other.
    pub fn run<Op, Fut, T, E>(self, operation: Op) -> impl Future<Output = Result<T, E>>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        Run::new(self.hand(), Calls(operation))
    }

    /// Like [`run`](Self::run), and tells how many attempts it took.
    ///
    /// # Panics
    ///
    /// When it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the running attempt where it stands, and starts no other.
    pub fn run_reported<Op, Fut, T, E>(self, operation: Op) -> impl Future<Output = RetryReport<T, E>>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        Reported { run: Run::new(self.hand(), Calls(operation)), waited: Duration::ZERO }
    }

    /// Turns `function` into one that is retried with a copy of its argument.
    ///
    /// Several arguments travel as a tuple.
    ///
    /// ```
    /// # use std::time::Duration;
    /// use resilient_runtime::{Retry, attempt};
    ///
    /// async fn fetch(sku: String) -> std::io::Result<String> {
    ///     if attempt() == 1 { Err(std::io::ErrorKind::TimedOut.into()) } else { Ok(sku) }
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let fetch = Retry::new().wrap(fetch);
    /// assert_eq!(fetch("teapot".into()).await.unwrap(), "teapot");
    /// # }
    /// ```
    ///
    /// Calls of it panic where those of [`run`](Self::run) do, and are as safe to drop.
    pub fn wrap<F, A, Fut, T, E>(self, function: F) -> impl Fn(A) -> Run<Hand, Applied<F, A>, Fut> + Clone
    where
        F: Fn(A) -> Fut + Clone,
        A: Clone,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        let hand = self.hand();
        move |argument| Run::new(hand, Applied { function: function.clone(), argument })
    }

    /// Turns `function`, which takes nothing, into one that is retried.
    ///
    /// Calls of it panic where those of [`run`](Self::run) do, and are as safe to drop.
    pub fn wrap0<F, Fut, T, E>(self, function: F) -> impl Fn() -> Run<Hand, Calls<F>, Fut> + Clone
    where
        F: Fn() -> Fut + Clone,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        let hand = self.hand();
        move || Run::new(hand, Calls(function.clone()))
    }

    /// Lets `predicate` decide which errors are worth another attempt, in place of their class.
    ///
    /// ```
    /// # use resilient_runtime::Retry;
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let retry = Retry::new().when(|error: &std::io::Error| error.raw_os_error().is_none());
    /// let error = retry.run(|| async { Err::<(), _>(std::io::ErrorKind::NotFound.into()) }).await;
    /// # error.unwrap_err();
    /// # }
    /// ```
    #[must_use]
    pub const fn when<E, W: Fn(&E) -> bool>(self, predicate: W) -> RetryWith<Set<W>, Unset, Unset> {
        RetryWith { retry: self, when: Set(predicate), when_ok: Unset, on_retry: Unset }
    }

    /// Lets `predicate` name values that are worth another attempt.
    ///
    /// When the attempts are used up, the last value is the answer.
    #[must_use]
    pub const fn when_ok<T, V: Fn(&T) -> bool>(self, predicate: V) -> RetryWith<Unset, Set<V>, Unset> {
        RetryWith { retry: self, when: Unset, when_ok: Set(predicate), on_retry: Unset }
    }

    /// Calls `hook` before each wait with the failed attempt, wait and cause.
    ///
    /// A hook that panics is logged and otherwise ignored.
    #[must_use]
    pub const fn on_retry<E, H: Fn(u32, Duration, RetryCause<'_, E>)>(
        self,
        hook: H,
    ) -> RetryWith<Unset, Unset, Set<H>> {
        RetryWith { retry: self, when: Unset, when_ok: Unset, on_retry: Set(hook) }
    }
}

/// A [`Retry`] with predicates or a hook.
///
/// Made by [`Retry::when`], [`Retry::when_ok`] and [`Retry::on_retry`].
#[derive(Clone, Copy, Debug)]
pub struct RetryWith<W, V, H> {
    pub(super) retry: Retry,
    pub(super) when: W,
    pub(super) when_ok: V,
    pub(super) on_retry: H,
}

impl<W, V, H> RetryWith<W, V, H> {
    /// Like [`Retry::when`].
    #[must_use]
    pub fn when<E, F: Fn(&E) -> bool>(self, predicate: F) -> RetryWith<Set<F>, V, H> {
        let Self { retry, when_ok, on_retry, .. } = self;
        RetryWith { retry, when: Set(predicate), when_ok, on_retry }
    }

    /// Like [`Retry::when_ok`].
    #[must_use]
    pub fn when_ok<T, F: Fn(&T) -> bool>(self, predicate: F) -> RetryWith<W, Set<F>, H> {
        let Self { retry, when, on_retry, .. } = self;
        RetryWith { retry, when, when_ok: Set(predicate), on_retry }
    }

    /// Like [`Retry::on_retry`].
    #[must_use]
    pub fn on_retry<E, F: Fn(u32, Duration, RetryCause<'_, E>)>(self, hook: F) -> RetryWith<W, V, Set<F>> {
        let Self { retry, when, when_ok, .. } = self;
        RetryWith { retry, when, when_ok, on_retry: Set(hook) }
    }

    /// Like [`Retry::run`].
    ///
    /// # Errors
    ///
    /// The error of the last attempt, unchanged.
    ///
    /// # Panics
    ///
    /// When a predicate panics, or when it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the running attempt where it stands, and starts no other.
    pub fn run<Op, Fut, T, E>(self, operation: Op) -> impl Future<Output = Result<T, E>>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
        Hand<W, V, H>: Rules<Result<T, E>>,
    {
        Run::new(self.hand(), Calls(operation))
    }

    /// Like [`Retry::run_reported`].
    ///
    /// # Panics
    ///
    /// When a predicate panics, or when it has to wait outside a tokio runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the running attempt where it stands, and starts no other.
    pub fn run_reported<Op, Fut, T, E>(self, operation: Op) -> impl Future<Output = RetryReport<T, E>>
    where
        Op: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
        Hand<W, V, H>: Rules<Result<T, E>>,
    {
        Reported { run: Run::new(self.hand(), Calls(operation)), waited: Duration::ZERO }
    }
}

/// What makes the attempts of a call.
pub trait Attempts<Fut> {
    fn start(&mut self) -> Fut;
}

/// A function of nothing.
#[derive(Debug)]
pub struct Calls<F>(F);

impl<F: FnMut() -> Fut, Fut> Attempts<Fut> for Calls<F> {
    fn start(&mut self) -> Fut {
        self.0()
    }
}

/// A function and the argument that each attempt gets a copy of.
#[derive(Debug)]
pub struct Applied<F, A> {
    function: F,
    argument: A,
}

impl<F: Fn(A) -> Fut, A: Clone, Fut> Attempts<Fut> for Applied<F, A> {
    fn start(&mut self) -> Fut {
        (self.function)(self.argument.clone())
    }
}

pin_project! {
    /// A retried call.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Run<P, O, Fut>
    where
        P: Terms,
    {
        retrying: Retrying<P>,
        operation: O,
        #[pin]
        step: Step<Fut>,
    }
}

pin_project! {
    #[project = StepProjection]
    #[derive(Debug)]
    enum Step<Fut> {
        Start,
        Attempt { #[pin] attempt: Fut },
        Wait { wait: Waiting },
        Done,
    }
}

impl<P: Terms, O, Fut> Run<P, O, Fut> {
    const fn new(terms: P, operation: O) -> Self {
        Self { retrying: Retrying::new(terms), operation, step: Step::Start }
    }

    fn poll_waits<T, E>(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut waits: impl FnMut(Duration),
    ) -> Poll<Fut::Output>
    where
        P: Rules<Result<T, E>>,
        O: Attempts<Fut>,
        Fut: Future<Output = Result<T, E>>,
        E: Classify,
    {
        let mut this = self.project();
        let out = loop {
            match this.step.as_mut().project() {
                StepProjection::Start => {
                    this.retrying.begin();
                    let attempt = this.retrying.state.enter(|| this.operation.start());
                    this.step.set(Step::Attempt { attempt });
                }
                StepProjection::Attempt { attempt } => {
                    let Retrying { terms, state } = &mut *this.retrying;
                    let out = ready!(state.poll_attempt(terms, attempt, cx));
                    let delay = match settle(state, terms, out, terms) {
                        Next::Wait(delay) => delay,
                        Next::Done(out) => break out,
                    };
                    waits(delay);
                    this.step.set(Step::Wait { wait: state.wait(delay) });
                }
                StepProjection::Wait { wait } => {
                    ready!(wait.poll(cx));
                    let Retrying { terms, state } = &mut *this.retrying;
                    state.again(terms);
                    this.step.set(Step::Start);
                }
                // Polled after the end, which no caller may do.
                StepProjection::Done => return Poll::Pending,
            }
        };
        this.step.set(Step::Done);
        Poll::Ready(out)
    }
}

impl<P, O, Fut, T, E> Future for Run<P, O, Fut>
where
    P: Terms + Rules<Result<T, E>>,
    O: Attempts<Fut>,
    Fut: Future<Output = Result<T, E>>,
    E: Classify,
{
    type Output = Result<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.poll_waits(cx, |_| {})
    }
}

/// What a call gave and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryReport<T, E> {
    /// What the last attempt gave.
    pub result: Result<T, E>,
    /// Attempts made, the first included.
    pub attempts: u32,
    /// Time waited between them.
    pub waited: Duration,
}

pin_project! {
    struct Reported<P, O, Fut>
    where
        P: Terms,
    {
        #[pin]
        run: Run<P, O, Fut>,
        waited: Duration,
    }
}

impl<P, O, Fut, T, E> Future for Reported<P, O, Fut>
where
    P: Terms + Rules<Result<T, E>>,
    O: Attempts<Fut>,
    Fut: Future<Output = Result<T, E>>,
    E: Classify,
{
    type Output = RetryReport<T, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<RetryReport<T, E>> {
        let mut this = self.project();
        let waited = this.waited;
        let result = ready!(this.run.as_mut().poll_waits(cx, |wait| *waited = waited.saturating_add(wait)));
        let attempts = this.run.retrying.state.attempt();
        Poll::Ready(RetryReport { result, attempts, waited: *waited })
    }
}
