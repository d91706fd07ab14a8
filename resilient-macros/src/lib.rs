//! Attribute macros of `resilient-runtime`.

mod args;
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
