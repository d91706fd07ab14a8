//! Attribute macros of `resilient-runtime`.

mod args;
mod classify;
mod diag;
mod func;
mod literal;
mod lower;
mod order;
mod params;
mod paths;
mod policy;
mod reader;
mod record;
mod scan;
mod stack;
#[cfg(test)]
mod tests;

use proc_macro::TokenStream;

/// Runs an async function again after a failure, with backoff.
#[proc_macro_attribute]
pub fn retry(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("retry", args.into(), item.into()).into()
}

/// Stops calling what keeps failing.
#[proc_macro_attribute]
pub fn circuit_breaker(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("circuit_breaker", args.into(), item.into()).into()
}

/// Gives another answer when the function fails.
#[proc_macro_attribute]
pub fn fallback(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("fallback", args.into(), item.into()).into()
}

/// Gives up after a time.
#[proc_macro_attribute]
pub fn timeout(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::enter("timeout", args.into(), item.into()).into()
}

/// Tells the policies what an error means, by an attribute on each variant.
///
/// | attribute | class | retry | breaker | fallback |
/// |---|---|---|---|---|
/// | `#[transient]` | may work next time | tries again | a failure | steps in |
/// | `#[throttled]` | was asked to slow down | tries again | a failure | steps in |
/// | `#[throttled(after = field)]` | … and for how long | not before that | a failure | steps in |
/// | `#[permanent]` | will be the same next time | ends | a success: it answered | passes it on |
/// | `#[ignored]` | says nothing about the dependency | ends | not counted | passes it on |
/// | `#[transparent]` | that of the one field inside | | | |
/// | none | unknown | tries again | a failure | steps in |
///
/// `field` is the name of a field or, without names, its index; it holds a `Duration` or an
/// `Option<Duration>`. A variant that carries a `Rejected` is `#[transparent]`, so that annotated
/// functions which call annotated functions see through it. On a struct the attribute stands on
/// the struct itself. `#[classify(crate = ::path)]` on the type names the runtime where it goes by
/// another name.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Class, Classify, Rejected};
///
/// #[derive(Debug, Classify)]
/// enum PaymentError {
///     #[transient]
///     Unreachable(std::io::Error),
///     #[throttled(after = retry_after)]
///     Busy { retry_after: Option<Duration> },
///     #[permanent]
///     Declined,
///     #[transparent]
///     Refused(Rejected),
/// }
///
/// impl From<Rejected> for PaymentError {
///     fn from(rejected: Rejected) -> Self {
///         Self::Refused(rejected)
///     }
/// }
///
/// let busy = PaymentError::Busy { retry_after: None };
/// assert_eq!(busy.classify(), Class::Throttled { after: None });
/// assert_eq!(PaymentError::Declined.classify(), Class::Permanent);
/// ```
#[proc_macro_derive(Classify, attributes(transient, permanent, ignored, throttled, transparent, classify))]
pub fn classify(input: TokenStream) -> TokenStream {
    classify::derive(input.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn __stack(args: TokenStream, item: TokenStream) -> TokenStream {
    stack::collected(args.into(), item.into()).into()
}

#[doc(hidden)]
#[proc_macro_attribute]
pub fn __applied(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
