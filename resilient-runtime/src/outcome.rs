//! How a result is judged: the class of an error and what it means to each policy.

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::marker::PhantomData;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Fault, Rejected, inside_io};

/// What an error says about trying again.
///
/// | class | `retry` | `circuit_breaker` | `fallback` |
/// |---|---|---|---|
/// | `Transient`, `Throttled`, `Unknown` | tries again | a failure | steps in |
/// | `Permanent` | ends | a success: the dependency answered | passes it on |
/// | `Ignored` | ends | counts as nothing | passes it on |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// The next attempt may succeed.
    Transient,
    /// The dependency asked for fewer calls.
    Throttled {
        /// Time it asked to be left alone, where it said so.
        after: Option<Duration>,
    },
    /// The dependency answered, and will answer the same again.
    Permanent,
    /// The error says nothing about the dependency.
    Ignored,
    /// Nobody said; treated as worth another attempt, and as a failure.
    Unknown,
}

impl Class {
    /// The class in one word, for logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Transient => "transient",
            Self::Throttled { .. } => "throttled",
            Self::Permanent => "permanent",
            Self::Ignored => "ignored",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the error is an answer rather than an outage: `Permanent` or `Ignored`.
    #[must_use]
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Permanent | Self::Ignored)
    }
}

/// Tells the policies what an error means.
///
/// A `Box`, an `Rc`, an `Arc` or a reference means what it holds. Derive it on an enum, or write it by hand:
///
/// ```
/// use resilient_runtime::{Class, Classify};
/// # use std::time::Duration;
///
/// enum QuoteError {
///     Busy { retry_after: Duration },
///     UnknownSku,
///     Lost,
/// }
///
/// impl Classify for QuoteError {
///     fn classify(&self) -> Class {
///         match self {
///             Self::Busy { retry_after } => Class::Throttled { after: Some(*retry_after) },
///             Self::UnknownSku => Class::Permanent,
///             Self::Lost => Class::Transient,
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what class of error it is",
    label = "does not implement `Classify`",
    note = "derive it, `#[derive(resilient_runtime::Classify)]`, or write `impl resilient_runtime::Classify for {Self}`"
)]
pub trait Classify {
    /// What this error says about trying again.
    fn classify(&self) -> Class;

    /// The refusal this error carries, if it is one in disguise.
    ///
    /// Annotated functions that call annotated functions keep the rules for rejections when
    /// their errors answer this.
    fn rejected(&self) -> Option<&Rejected> {
        None
    }
}

impl Classify for Rejected {
    fn classify(&self) -> Class {
        match self {
            Self::CircuitOpen { .. }
            | Self::TimedOut { .. }
            | Self::BulkheadFull { .. }
            | Self::Overloaded { .. } => Class::Transient,
            Self::RateLimited { retry_after, .. } => Class::Throttled { after: *retry_after },
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        Some(self)
    }
}

/// The error inside is `Unknown`: a wrapper that holds any type can ask it nothing.
///
/// An annotated function that returns `Result<T, Fault<E>>` does see the class of an `E` that
/// implements [`Classify`].
impl<E> Classify for Fault<E> {
    fn classify(&self) -> Class {
        match self {
            Self::Failed(_) => Class::Unknown,
            Self::Rejected(rejected) => rejected.classify(),
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        Self::rejected(self)
    }
}

impl Classify for Infallible {
    fn classify(&self) -> Class {
        match *self {}
    }
}

macro_rules! unknown {
    ($($text:ty),*) => {$(
        /// Says nothing about trying again.
        impl Classify for $text {
            fn classify(&self) -> Class {
                Class::Unknown
            }
        }
    )*};
}

unknown!(str, String, ());

macro_rules! pointers {
    ($($pointer:ty),*) => {$(
        impl<E: Classify + ?Sized> Classify for $pointer {
            fn classify(&self) -> Class {
                (**self).classify()
            }

            fn rejected(&self) -> Option<&Rejected> {
                (**self).rejected()
            }
        }
    )*};
}

pointers!(&E, Box<E>, Rc<E>, Arc<E>);

/// Cut connections and time-outs are transient, a wrong request or path is permanent.
impl Classify for io::Error {
    fn classify(&self) -> Class {
        use io::ErrorKind as Kind;
        if let Some(rejected) = inside_io(self) {
            return rejected.classify();
        }
        match self.kind() {
            Kind::ConnectionRefused
            | Kind::ConnectionReset
            | Kind::ConnectionAborted
            | Kind::HostUnreachable
            | Kind::NetworkUnreachable
            | Kind::NetworkDown
            | Kind::NotConnected
            | Kind::BrokenPipe
            | Kind::TimedOut
            | Kind::WouldBlock
            | Kind::Interrupted
            | Kind::ResourceBusy
            | Kind::UnexpectedEof => Class::Transient,
            Kind::NotFound
            | Kind::PermissionDenied
            | Kind::AlreadyExists
            | Kind::InvalidInput
            | Kind::InvalidData
            | Kind::Unsupported => Class::Permanent,
            _ => Class::Unknown,
        }
    }

    fn rejected(&self) -> Option<&Rejected> {
        inside_io(self)
    }
}

fn class_of_chain(error: &(dyn Error + 'static)) -> Class {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(rejected) = error.downcast_ref::<Rejected>() {
            return rejected.classify();
        }
        if let Some(io) = error.downcast_ref::<io::Error>() {
            return io.classify();
        }
        next = error.source();
    }
    Class::Unknown
}

macro_rules! classify_boxed {
    ($($boxed:ty),*) => {$(
        /// The first error along the source chain that this crate knows decides.
        impl Classify for $boxed {
            fn classify(&self) -> Class {
                class_of_chain(self.as_ref())
            }

            fn rejected(&self) -> Option<&Rejected> {
                Rejected::find(self.as_ref())
            }
        }
    )*};
}

classify_boxed!(Box<dyn Error>, Box<dyn Error + Send>, Box<dyn Error + Send + Sync>);

/// A field that tells how long a dependency asked to be left alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time to wait",
    label = "not a `Duration`",
    note = "`#[throttled(after = ..)]` takes a field of type `Duration` or `Option<Duration>`"
)]
pub trait After {
    fn after(&self) -> Option<Duration>;
}

impl After for Duration {
    fn after(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl After for Option<Duration> {
    fn after(&self) -> Option<Duration> {
        *self
    }
}

/// The time in such a field.
pub fn after<T: After>(field: &T) -> Option<Duration> {
    field.after()
}

/// What a layer is told about a failed call: the class of the user's error, or a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// What the user's error says.
    Class(Class),
    /// A policy refused.
    Rejected(Rejected),
}

impl Cause {
    /// The judgement of an error that answers for itself.
    pub fn of<E: Classify + ?Sized>(error: &E) -> Self {
        match error.rejected() {
            Some(rejected) => Self::Rejected(rejected.clone()),
            None => Self::Class(error.classify()),
        }
    }

    pub(crate) fn class(&self) -> Class {
        match self {
            Self::Class(class) => *class,
            Self::Rejected(rejected) => rejected.classify(),
        }
    }
}

/// The user's errors: a method call on it looks along `Deref` and passes over an `impl` whose bounds do not
/// hold, which tells errors that implement [`Classify`] from others.
///
/// It stands in every annotated function, and costs the compiler less than a closure and traits.
#[derive(Debug)]
pub struct Errors<E>(PhantomData<fn(E)>);

/// Where [`Errors`] looks second.
#[derive(Debug)]
pub struct Classifying<E>(PhantomData<fn(E)>);

/// Where [`Errors`] looks last.
#[derive(Debug)]
pub struct Others<E>(PhantomData<fn(E)>);

impl<E> Errors<E> {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<E> Clone for Errors<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Errors<E> {}

impl<E> Deref for Errors<E> {
    type Target = Classifying<E>;

    fn deref(&self) -> &Classifying<E> {
        &Classifying(PhantomData)
    }
}

impl<E> Deref for Classifying<E> {
    type Target = Others<E>;

    fn deref(&self) -> &Others<E> {
        &Others(PhantomData)
    }
}

impl<E: Classify> Errors<Fault<E>> {
    /// Chosen first: a fault whose inner error implements `Classify`.
    #[expect(clippy::unused_self, clippy::trivially_copy_pass_by_ref, reason = "found by the type of `self`")]
    #[inline]
    #[must_use]
    pub const fn class(&self) -> ByFault {
        ByFault
    }
}

impl<E: Classify> Classifying<E> {
    /// Chosen second: an error that implements `Classify`.
    #[expect(clippy::unused_self, reason = "found by the type of `self`")]
    #[inline]
    #[must_use]
    pub const fn class(&self) -> ByClassify {
        ByClassify
    }
}

impl<E> Others<E> {
    /// Chosen last: any other error.
    #[expect(clippy::unused_self, reason = "found by the type of `self`")]
    #[inline]
    #[must_use]
    pub const fn class(&self) -> Unclassified {
        Unclassified
    }
}

/// How an expansion found out to judge its errors.
pub trait Causes<E> {
    /// What the error means to a layer.
    fn cause(error: &E) -> Cause;
}

/// The error inside a fault answers for itself.
#[derive(Clone, Copy, Debug)]
pub struct ByFault;

/// The error answers for itself.
#[derive(Clone, Copy, Debug)]
pub struct ByClassify;

/// The error says nothing.
#[derive(Clone, Copy, Debug)]
pub struct Unclassified;

impl<E: Classify> Causes<Fault<E>> for ByFault {
    fn cause(error: &Fault<E>) -> Cause {
        match error {
            Fault::Failed(error) => Cause::of(error),
            Fault::Rejected(rejected) => Cause::Rejected(rejected.clone()),
        }
    }
}

impl<E: Classify> Causes<E> for ByClassify {
    fn cause(error: &E) -> Cause {
        Cause::of(error)
    }
}

impl<E> Causes<E> for Unclassified {
    fn cause(_: &E) -> Cause {
        Cause::Class(Class::Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged<E, C: Causes<E>>(_: Errors<E>, _: &E, _: C) -> fn(&E) -> Cause {
        C::cause
    }

    macro_rules! cause {
        ($error:expr) => {{
            let (errors, error) = (Errors::new(), &$error);
            if false {
                let _ = judged(errors, error, Unclassified);
            }
            judged(errors, error, errors.class())(error)
        }};
    }

    struct Mine;

    impl Classify for Mine {
        fn classify(&self) -> Class {
            Class::Permanent
        }
    }

    struct Foreign;

    #[test]
    fn the_class_is_found_without_a_bound() {
        assert_eq!(cause!(Mine), Cause::Class(Class::Permanent));
        assert_eq!(cause!(Foreign), Cause::Class(Class::Unknown));
        assert_eq!(cause!(Fault::Failed(Mine)), Cause::Class(Class::Permanent));
        assert_eq!(cause!(Fault::Failed(Foreign)), Cause::Class(Class::Unknown));
    }

    #[test]
    fn a_refusal_is_found_inside_boxed_and_io_errors() {
        let rejected = Rejected::BulkheadFull { name: "reports" };
        let io = io::Error::from(rejected.clone());
        assert_eq!(cause!(io), Cause::Rejected(rejected.clone()));
        let boxed: Box<dyn Error + Send + Sync> = io.into();
        assert_eq!(cause!(boxed), Cause::Rejected(rejected.clone()));
        let lifted: Box<dyn Error> = Fault::<io::Error>::Rejected(rejected.clone()).into();
        assert_eq!(cause!(lifted), Cause::Rejected(rejected));
    }

    #[test]
    fn the_source_chain_of_a_boxed_error_decides() {
        let reset: Box<dyn Error> = Fault::Failed(io::Error::from(io::ErrorKind::ConnectionReset)).into();
        assert_eq!(reset.classify(), Class::Transient);
        let text: Box<dyn Error> = "no idea".into();
        assert_eq!(text.classify(), Class::Unknown);
    }
}
