//! The user's functions and paths as the expansion writes them.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Expr;

use super::own_span;

/// `Some(function)` or `None`.
pub(crate) fn optional(function: Option<&Expr>) -> TokenStream {
    function.map_or_else(
        || quote!(::core::option::Option::None),
        |function| {
            let function = function_value(function);
            quote_spanned!(own_span()=> ::core::option::Option::Some(#function))
        },
    )
}

/// A predicate or a hook as an argument.
///
/// In braces the compiler compares the types of a path alone and leaves the call around it out; a
/// closure must stand by itself, or the types of its parameters are not found.
pub(crate) fn function_value(function: &Expr) -> TokenStream {
    if matches!(function, Expr::Closure(_)) {
        return quote!(#function);
    }
    quote_spanned!(own_span()=> { #function })
}

/// The tokens at another place, so that an error about them is reported there and once.
pub(crate) fn respanned(tokens: &TokenStream, span: Span) -> TokenStream {
    let moved = tokens.clone().into_iter().map(|mut token| {
        token.set_span(token.span().resolved_at(span).located_at(span));
        token
    });
    moved.collect()
}
