//! What travels between the layers of one stack, and what leaves it.
//!
//! Inside a stack a result is `Result<T, Plain<E>>` below the first layer that can refuse, and
//! `Result<T, Fault<E>>` above it, so that a conversion from `Rejected` is asked for only where
//! a refusal can get out.

use std::cell::Cell;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::error::{Fault, Rejected};
use crate::outcome::{Cause, Errors};

/// The user's error at a level where nothing can have refused.
#[derive(Debug)]
pub struct Plain<E>(pub E);

/// The error of a level: what it says, and which error of the user's is in it.
pub trait Failing {
    type Error;

    fn cause(&self, class: impl Fn(&Self::Error) -> Cause) -> Cause;
    fn error(&self) -> Option<&Self::Error>;
    fn rejected(&self) -> Option<&Rejected>;
    /// The user's error, or the level's own again if a refusal is in it.
    fn into_failed(self) -> Result<Self::Error, Self>
    where
        Self: Sized;
}

impl<E> Failing for Plain<E> {
    type Error = E;

    fn cause(&self, class: impl Fn(&E) -> Cause) -> Cause {
        class(&self.0)
    }

    fn error(&self) -> Option<&E> {
        Some(&self.0)
    }

    fn rejected(&self) -> Option<&Rejected> {
        None
    }

    fn into_failed(self) -> Result<E, Self> {
        Ok(self.0)
    }
}

impl<E> Failing for Fault<E> {
    type Error = E;

    fn cause(&self, class: impl Fn(&E) -> Cause) -> Cause {
        match self {
            Self::Failed(error) => class(error),
            Self::Rejected(rejected) => Cause::Rejected(rejected.clone()),
        }
    }

    fn error(&self) -> Option<&E> {
        self.failed()
    }

    fn rejected(&self) -> Option<&Rejected> {
        Self::rejected(self)
    }

    fn into_failed(self) -> Result<E, Self> {
        match self {
            Self::Failed(error) => Ok(error),
            Self::Rejected(_) => Err(self),
        }
    }
}

/// A function's return type, which must be a `Result` under whatever name.
#[diagnostic::on_unimplemented(
    message = "a guarded function must return a `Result`, not `{Self}`",
    label = "not a `Result`",
    note = "the policies tell success from failure by `Ok` and `Err`"
)]
pub trait Outcome {
    /// What success gives.
    type Value;
    /// What failure gives.
    type Error;

    /// The value as a result.
    ///
    /// # Errors
    ///
    /// What is in it.
    fn into_result(self) -> Result<Self::Value, Self::Error>;
    /// A result as the value.
    fn from_result(result: Result<Self::Value, Self::Error>) -> Self;
}

impl<T, E> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;

    fn into_result(self) -> Self {
        self
    }

    fn from_result(result: Self) -> Self {
        result
    }
}

/// A function's return type as a result. Nothing but this and [`from_result`] asks for `Outcome`, so that
/// a type that is none is one error.
///
/// # Errors
///
/// What is in `out`.
#[inline]
pub fn into_result<R: Outcome>(out: R) -> Result<R::Value, R::Error> {
    out.into_result()
}

/// A result as the function's return type.
#[inline]
pub fn from_result<R: Outcome>(result: Result<R::Value, R::Error>) -> R {
    R::from_result(result)
}

pin_project! {
    /// The user's block as the lowest level of a stack.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Body<F, I> {
        #[pin]
        inner: F,
        into_result: I,
    }
}

/// Makes the user's block the lowest level, and tells `errors` what type they have.
#[inline]
pub fn body<F, I, T, E>(inner: F, into_result: I, _: Errors<E>) -> Body<F, I>
where
    F: Future,
    I: Fn(F::Output) -> Result<T, E>,
{
    Body { inner, into_result }
}

impl<F, I, T, E> Future for Body<F, I>
where
    F: Future,
    I: Fn(F::Output) -> Result<T, E>,
{
    type Output = Result<T, Plain<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        this.inner.poll(cx).map(|out| (this.into_result)(out).map_err(Plain))
    }
}

pin_project! {
    /// A level without refusals as one that may have them.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Lift<F> {
        #[pin]
        inner: F,
    }
}

/// Lets refusals into a level.
#[inline]
pub fn lift<F>(inner: F) -> Lift<F> {
    Lift { inner }
}

impl<F, T, E> Future for Lift<F>
where
    F: Future<Output = Result<T, Plain<E>>>,
{
    type Output = Result<T, Fault<E>>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.project().inner.poll(cx).map(|out| out.map_err(|Plain(error)| Fault::Failed(error)))
    }
}

/// An error type that can say "a policy refused".
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot carry a policy's refusal",
    label = "a refusal leaves the function as this type's error",
    note = "write `impl From<resilient_runtime::Rejected> for {Self} {{ fn from(rejected: resilient_runtime::Rejected) -> Self {{ .. }} }}`",
    note = "or return `Result<_, resilient_runtime::Fault<{Self}>>`, or put a `#[fallback]` that takes no error on top"
)]
pub trait FromRejected {
    fn from_rejected(rejected: Rejected) -> Self;
}

impl<E: From<Rejected>> FromRejected for E {
    fn from_rejected(rejected: Rejected) -> Self {
        rejected.into()
    }
}

/// The one conversion at the edge of a stack.
#[inline]
#[must_use]
pub fn edge<E: FromRejected>() -> fn(Fault<E>) -> E {
    |fault| match fault {
        Fault::Failed(error) => error,
        Fault::Rejected(rejected) => E::from_rejected(rejected),
    }
}

/// The edge of a stack that cannot refuse.
#[inline]
pub fn bare<E>(Plain(error): Plain<E>) -> E {
    error
}

/// An argument that each attempt gets a copy of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is passed by value to a retried function, so it must be `Clone`",
    label = "each attempt needs its own copy of this argument",
    note = "take it by reference, wrap it in an `Arc`, or list it in `no_clone(..)` if the body only borrows it"
)]
pub trait AttemptArg {
    fn attempt_arg(&self) -> Self;
}

impl<T: Clone> AttemptArg for T {
    fn attempt_arg(&self) -> Self {
        self.clone()
    }
}

/// A copy of an argument for one attempt.
#[inline]
pub fn attempt_arg<T: AttemptArg>(argument: &T) -> T {
    argument.attempt_arg()
}

/// An argument that the body consumes and a fallback needs too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is passed by value to the function and to its fallback, so it must be `Clone`",
    label = "the fallback needs its own copy of this argument",
    note = "take it by reference, wrap it in an `Arc`, or name a fallback call that leaves it out: `fn = cached(id)`"
)]
pub trait FallbackArg {
    fn fallback_arg(&self) -> Self;
}

impl<T: Clone> FallbackArg for T {
    fn fallback_arg(&self) -> Self {
        self.clone()
    }
}

/// A copy of an argument for a fallback.
#[inline]
pub fn fallback_arg<T: FallbackArg>(argument: &T) -> T {
    argument.fallback_arg()
}

/// What a fallback expression gave: a future, or the value itself.
pub struct Given<T>(Cell<Option<T>>);

impl<T> std::fmt::Debug for Given<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Given")
    }
}

impl<T> Given<T> {
    /// Holds what the expression gave until its kind is known.
    pub fn new(given: T) -> Self {
        Self(Cell::new(Some(given)))
    }

    fn take(&self) -> T {
        #[expect(
            clippy::expect_used,
            reason = "made by `new` and taken by the one call the expansion writes"
        )]
        self.0.take().expect("a fallback's answer is taken once")
    }
}

/// Chosen first: the fallback is async.
pub trait ViaFuture {
    /// Future of the answer.
    type Answer: Future;
    /// The answer, to be awaited.
    fn answer(&self) -> Self::Answer;
}

impl<F: Future> ViaFuture for Given<F> {
    type Answer = F;

    fn answer(&self) -> F {
        self.take()
    }
}

/// Chosen last: the fallback is an ordinary function.
pub trait ViaValue {
    /// Future of the answer.
    type Answer: Future;
    /// The answer, to be awaited.
    fn answer(&self) -> Self::Answer;
}

impl<T> ViaValue for &Given<T> {
    type Answer = Ready<T>;

    fn answer(&self) -> Ready<T> {
        ready(self.take())
    }
}
