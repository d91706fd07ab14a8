//! Faults gathered while an attribute is read, reported all at once.

use std::fmt::Display;

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

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

/// The known word that `written` most likely stands for.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // In a short word one slip weighs too much for the likeness alone.
    let likeness = |word| match strsim::osa_distance(written, word) {
        1 if word.len() > 1 => 0.9_f64.max(strsim::jaro_winkler(written, word)),
        _ => strsim::jaro_winkler(written, word),
    };
    known
        .into_iter()
        .map(|word| (likeness(word), word))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, word)| word)
}

/// `` `a`, `b`, `c` ``
pub(crate) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `"a", "b", "c"`
pub(crate) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}
