//! The only place that spells the runtime's path.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{Expr, ExprPath};

use crate::diag::Diag;

/// The runtime crate as the user's crate knows it.
pub(crate) struct Paths {
    root: TokenStream,
    private: TokenStream,
}

impl Default for Paths {
    fn default() -> Self {
        Self::new(quote_spanned!(Span::mixed_site()=> ::resilient_runtime))
    }
}

impl Paths {
    fn new(root: TokenStream) -> Self {
        // In one piece, or it would be put together again at each mention.
        let private = quote!(#root::__private).into_iter().collect();
        Self { root, private }
    }

    /// Takes `crate = ::path`, which must mean the same from everywhere.
    pub(crate) fn named(value: &Expr, diag: &mut Diag) -> Option<Self> {
        if let Expr::Path(ExprPath { qself: None, path, .. }) = value {
            let from_root = path.leading_colon.is_some();
            if from_root || path.segments.first().is_some_and(|first| first.ident == "crate") {
                return Some(Self::new(path.to_token_stream()));
            }
            if path.segments.first().is_some_and(|first| first.ident == "self" || first.ident == "super") {
                diag.at(
                    path,
                    "`crate` must mean the same in every module: write a path that begins with `crate::`",
                );
                return None;
            }
            let text = crate::scan::source(path.to_token_stream());
            diag.at(
                path,
                format!(
                    "`crate = {text}` must mean the same in every module: write `crate = ::{text}` for a \
                     dependency or `crate = crate::{text}` for a module of this crate"
                ),
            );
            return None;
        }
        diag.at(value, "`crate` takes the path of the runtime crate: `crate = ::resilient_runtime`");
        None
    }

    /// The module of everything that an expansion may name.
    pub(crate) fn private(&self) -> &TokenStream {
        &self.private
    }

    /// The same inside of a rewritten function, which imports it: every token costs time to check.
    pub(crate) fn imported() -> Ident {
        Self::imported_at(Span::mixed_site())
    }

    /// The same at a place where errors about it are to be reported.
    pub(crate) fn imported_at(span: Span) -> Ident {
        Ident::new("__rt", span)
    }

    /// The import.
    pub(crate) fn import(&self) -> TokenStream {
        let (private, imported) = (&self.private, Self::imported());
        quote!(use #private as #imported;)
    }

    /// Whether both lead to one place, as far as tokens tell.
    pub(crate) fn same(&self, other: &Self) -> bool {
        self.root.to_string() == other.root.to_string()
    }
}
