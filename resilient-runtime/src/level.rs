//! What travels between the layers of one stack, and what leaves it.
//!
//! A level answers with the function's own `Result` below the first layer that can refuse, and with a
//! [`Reply`] above it, so that a conversion from `Rejected` is asked for only where a refusal can get out.

use std::cell::Cell;
use std::future::{Future, Ready, ready};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use crate::error::{Fault, Rejected};
use crate::outcome::{Cause, Causes, Errors};

/// What a level answers with once a layer may have refused.
#[derive(Debug)]
pub enum Reply<R> {
    /// The function's own answer.
    Answer(R),
    /// The refusal that stands in its place.
    Refusal(Rejected),
}

/// What the user's predicates and hooks see of a level's answer: the function's own, or a refusal.
pub(crate) type Seen<'a, T, E> = Result<&'a Result<T, E>, &'a Rejected>;

/// What the class of a function's errors makes of a level's answer.
///
/// A trait of the class and not of the answer: a function that returns no `Result` has no class, and is
/// one error instead of one for each layer.
pub trait Judge<O> {
    type Value;
    type Error;
    /// The function's own answer.
    type Answer;
    /// What a fallback steps in for.
    type Fault;

    /// A value as an answer.
    fn of(value: Self::Value) -> O;
    fn seen(out: &O) -> Seen<'_, Self::Value, Self::Error>;
    fn is_ok(out: &O) -> bool;
    /// Why it is a failure, if it is.
    fn cause(out: &O) -> Option<Cause>;
    /// The answer as one in whose place a refusal can stand.
    fn reply(out: O) -> Reply<Self::Answer>;
    /// # Errors
    ///
    /// What went wrong; an error of the user's only unless it is to be kept.
    fn split(out: O, keep: bool) -> Result<Self::Answer, Self::Fault>;
}

impl<T, E, C: Causes<E>> Judge<Result<T, E>> for C {
    type Value = T;
    type Error = E;
    type Answer = Result<T, E>;
    type Fault = E;

    #[inline]
    fn of(value: T) -> Result<T, E> {
        Ok(value)
    }

    #[inline]
    fn seen(out: &Result<T, E>) -> Seen<'_, T, E> {
        Ok(out)
    }

    #[inline]
    fn is_ok(out: &Result<T, E>) -> bool {
        out.is_ok()
    }

    #[inline]
    fn cause(out: &Result<T, E>) -> Option<Cause> {
        out.as_ref().err().map(C::cause)
    }

    #[inline]
    fn reply(out: Result<T, E>) -> Reply<Result<T, E>> {
        Reply::Answer(out)
    }

    fn split(out: Result<T, E>, keep: bool) -> Result<Result<T, E>, E> {
        match out {
            Err(error) if !keep => Err(error),
            answer => Ok(answer),
        }
    }
}

impl<T, E, C: Causes<E>> Judge<Reply<Result<T, E>>> for C {
    type Value = T;
    type Error = E;
    type Answer = Result<T, E>;
    type Fault = Fault<E>;

    #[inline]
    fn of(value: T) -> Reply<Result<T, E>> {
        Reply::Answer(Ok(value))
    }

    #[inline]
    fn seen(out: &Reply<Result<T, E>>) -> Seen<'_, T, E> {
        match out {
            Reply::Answer(answer) => Ok(answer),
            Reply::Refusal(rejected) => Err(rejected),
        }
    }

    #[inline]
    fn is_ok(out: &Reply<Result<T, E>>) -> bool {
        matches!(out, Reply::Answer(Ok(_)))
    }

    #[inline]
    fn cause(out: &Reply<Result<T, E>>) -> Option<Cause> {
        match out {
            Reply::Answer(answer) => answer.as_ref().err().map(C::cause),
            Reply::Refusal(rejected) => Some(Cause::Rejected(rejected.clone())),
        }
    }

    #[inline]
    fn reply(out: Reply<Result<T, E>>) -> Reply<Result<T, E>> {
        out
    }

    fn split(out: Reply<Result<T, E>>, keep: bool) -> Result<Result<T, E>, Fault<E>> {
        match out {
            Reply::Refusal(rejected) => Err(Fault::Rejected(rejected)),
            Reply::Answer(Err(error)) if !keep => Err(Fault::Failed(error)),
            Reply::Answer(answer) => Ok(answer),
        }
    }
}

/// The class of an error decides; takes no room in the future.
#[derive(Debug)]
pub struct ByClass<C>(PhantomData<C>);

impl<C> ByClass<C> {
    pub(crate) const NEW: Self = Self(PhantomData);
}

pin_project! {
    /// A layer made by hand, whose error takes in the refusal.
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct ByHand<F> {
        #[pin]
        pub(crate) layer: F,
    }
}

impl<F, T, E> Future for ByHand<F>
where
    F: Future<Output = Reply<Result<T, E>>>,
    E: From<Rejected>,
{
    type Output = Result<T, E>;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        self.project().layer.poll(cx).map(|reply| match reply {
            Reply::Answer(answer) => answer,
            Reply::Refusal(rejected) => Err(rejected.into()),
        })
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
    /// What knows the type of the failure. With a return type that is no `Result` it has no type, and the
    /// compiler says nothing more about what the expansion does with it.
    type Errors;

    /// What finds the class of the errors.
    fn errors() -> Self::Errors;
    /// A value as the answer.
    fn answer(value: Self::Value) -> Self;
    /// The error, or the answer back.
    ///
    /// # Errors
    ///
    /// The answer, if it is none.
    fn failed(self) -> Result<Self::Error, Self>
    where
        Self: Sized;
    /// The answer that has been refused.
    fn refused(rejected: Rejected) -> Self
    where
        Self::Error: FromRejected;
}

impl<T, E> Outcome for Result<T, E> {
    type Value = T;
    type Error = E;
    type Errors = Errors<E>;

    #[inline]
    fn errors() -> Errors<E> {
        Errors::new()
    }

    #[inline]
    fn answer(value: T) -> Self {
        Ok(value)
    }

    #[inline]
    fn failed(self) -> Result<E, Self> {
        match self {
            Err(error) => Ok(error),
            answer => Err(answer),
        }
    }

    #[inline]
    fn refused(rejected: Rejected) -> Self
    where
        E: FromRejected,
    {
        Err(E::from_rejected(rejected))
    }
}

/// What finds the class of a function's errors.
#[inline]
#[must_use]
pub fn errors<R: Outcome>() -> R::Errors {
    R::errors()
}

/// The same for a return type that cannot be written, such as one with `impl Trait`.
#[inline]
#[must_use]
pub fn errors_of<E>() -> Errors<E> {
    Errors::new()
}

/// The user's block, from which the type of the errors is learnt.
#[inline]
pub fn body<F, T, E>(block: F, _: Errors<E>) -> F
where
    F: Future<Output = Result<T, E>>,
{
    block
}

/// An answer that nobody asks for: it tells the compiler what a block returns.
#[inline]
#[must_use]
pub fn never<R>() -> R {
    #[expect(clippy::empty_loop, reason = "never run")]
    loop {}
}

/// A fallback's value as the function's answer.
#[inline]
pub fn answer<R: Outcome>(value: R::Value) -> R {
    R::answer(value)
}

/// What the next member of a chain of fallbacks is for.
///
/// # Errors
///
/// The answer that needs no other.
#[inline]
pub fn failed<R: Outcome>(answer: R) -> Result<R::Error, R> {
    answer.failed()
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

/// The edge of a stack: a refusal that got this far becomes the user's error.
///
/// A function and not a call, for the compiler would blame the call's argument.
#[inline]
#[must_use]
pub fn settled<R: Outcome<Error: FromRejected>>() -> fn(Reply<R>) -> R {
    |reply| match reply {
        Reply::Answer(answer) => answer,
        Reply::Refusal(rejected) => R::refused(rejected),
    }
}

/// The same for the error that a fallback is told.
#[inline]
#[must_use]
pub fn edge<E: FromRejected>() -> fn(Fault<E>) -> E {
    |fault| match fault {
        Fault::Failed(error) => error,
        Fault::Rejected(rejected) => E::from_rejected(rejected),
    }
}

/// An argument that each attempt gets a copy of.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is passed by value to a function that may run again, so it must be `Clone`",
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
