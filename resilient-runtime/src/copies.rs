//! What of an answer can be given to several callers, and is kept until then.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::ops::Deref;

use crate::level::Outcome;
use crate::outcome::{Classifying, Others};

/// How an expansion found out to give one value to several callers.
pub trait Copies<T> {
    /// What is kept of the value meanwhile.
    type Kept: Clone + Send + Sync + 'static;

    /// What is kept of a value, if it can be.
    fn keep(value: &T) -> Option<Self::Kept>;
    /// A value for one more caller.
    fn give(kept: Self::Kept) -> T;
}

/// The value is cloned.
#[derive(Clone, Copy, Debug)]
pub struct ByClone;

/// The value cannot be cloned, or not be kept.
#[derive(Clone, Copy, Debug)]
pub struct NoCopies;

impl<T: Clone + Send + Sync + 'static> Copies<T> for ByClone {
    type Kept = T;

    #[inline]
    fn keep(value: &T) -> Option<T> {
        Some(value.clone())
    }

    #[inline]
    fn give(kept: T) -> T {
        kept
    }
}

impl<T> Copies<T> for NoCopies {
    type Kept = Infallible;

    fn keep(_: &T) -> Option<Infallible> {
        None
    }

    fn give(kept: Infallible) -> T {
        match kept {}
    }
}

impl<E: Clone + Send + Sync + 'static> Classifying<E> {
    /// Chosen first: an error that several callers can get.
    #[expect(clippy::unused_self, reason = "found by the type of `self`")]
    #[must_use]
    pub const fn copies(&self) -> ByClone {
        ByClone
    }
}

impl<E> Others<E> {
    /// Chosen last: an error that only one caller can get.
    #[expect(clippy::unused_self, reason = "found by the type of `self`")]
    #[must_use]
    pub const fn copies(&self) -> NoCopies {
        NoCopies
    }
}

/// The user's values, found like [`Errors`](crate::outcome::Errors).
#[derive(Debug)]
pub struct Values<T>(PhantomData<fn(T)>);

/// Where [`Values`] looks last.
#[derive(Debug)]
pub struct OtherValues<T>(PhantomData<fn(T)>);

impl<T> Deref for Values<T> {
    type Target = OtherValues<T>;

    fn deref(&self) -> &OtherValues<T> {
        &OtherValues(PhantomData)
    }
}

impl<T: Clone + Send + Sync + 'static> Values<T> {
    /// Chosen first: a value that several callers can get.
    #[expect(clippy::unused_self, reason = "found by the type of `self`")]
    #[must_use]
    pub const fn copies(&self) -> ByClone {
        ByClone
    }
}

impl<T> OtherValues<T> {
    /// Chosen last: a value that only one caller can get, which is one error and not one for each layer.
    #[expect(clippy::unused_self, reason = "found by the type of `self`")]
    #[must_use]
    pub const fn copies(&self) -> NoCopies
    where
        SeveralCallers: CanGet<T>,
    {
        NoCopies
    }
}

/// What finds out about the values of a function.
#[must_use]
pub const fn values<R: Outcome>() -> Values<R::Value> {
    Values(PhantomData)
}

/// Those who get one answer.
#[derive(Clone, Copy, Debug)]
pub struct SeveralCallers;

/// What a value has to be that several callers get; it has nothing of its own.
///
/// A trait of the callers, or the compiler would advise to ask a type parameter for it.
#[diagnostic::on_unimplemented(
    message = "`{T}` is answered to several callers, so it must be `Clone + Send + Sync`",
    label = "the value of this answer goes to several callers",
    note = "what is not `Clone` goes into an `Arc`: `Result<Arc<{T}>, _>`",
    note = "what is not `Send + Sync` gives way to what is: `Rc` to `Arc`, `RefCell` to `Mutex`"
)]
pub trait CanGet<T> {}
