//! Faults gathered while an attribute is read, reported all at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;
pub(crate) use resilient_settings::words::{listed, nearest, quoted};

/// Everything found wrong with one function's attributes.
#[derive(Default)]
pub(crate) struct Diag {
    faults: Vec<syn::Error>,
}

impl Diag {
    /// A fault that covers `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl Display) {
        self.faults.push(syn::Error::new_spanned(tokens, message));
    }

    /// A fault at one place.
    pub(crate) fn here(&mut self, span: Span, message: impl Display) {
        self.faults.push(syn::Error::new(span, message));
    }

    pub(crate) fn append(&mut self, mut later: Self) {
        self.faults.append(&mut later.faults);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.faults.is_empty()
    }

    /// One `compile_error!` for each fault.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.faults.iter().map(syn::Error::to_compile_error).collect()
    }
}
