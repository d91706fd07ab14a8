//! What stands below a layer while it wraps.

use proc_macro2::TokenStream;
use quote::quote;

use crate::policy::Uses;

/// What a level answers with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carries {
    /// The function's own answer: no layer has refused.
    Answer,
    /// That, or a refusal.
    Reply,
}

/// Everything below some layer, as an expression.
pub(crate) struct Level {
    pub(super) carries: Carries,
    pub(super) is_future: bool,
    pub(super) tokens: TokenStream,
    pub(super) mentioned: Uses,
    /// What it leaves nothing of.
    pub(super) moved: Uses,
}

impl Level {
    /// Wraps a future in a future.
    pub(crate) fn map_future(self, carries: Carries, wrap: impl FnOnce(TokenStream) -> TokenStream) -> Self {
        Self { carries, is_future: true, tokens: wrap(self.tokens), ..self }
    }

    /// Turns a future into an expression that is evaluated in place.
    pub(crate) fn map_value(self, wrap: impl FnOnce(TokenStream) -> TokenStream) -> Self {
        Self { is_future: false, tokens: wrap(self.tokens), ..self }
    }

    /// An expression of the function's return type, evaluated in place.
    pub(crate) fn answer(self, uses: &Uses, tokens: TokenStream) -> Self {
        let mut level = Self { carries: Carries::Answer, is_future: false, tokens, ..self };
        level.mentioned.add(uses);
        level.moved.add(uses);
        level
    }

    pub(crate) fn mention(&mut self, uses: &Uses) {
        self.mentioned.add(uses);
    }

    pub(crate) fn carries(&self) -> Carries {
        self.carries
    }

    pub(crate) fn moved(&self) -> &Uses {
        &self.moved
    }
}

pub(crate) fn awaited(level: &Level) -> TokenStream {
    let tokens = &level.tokens;
    if level.is_future { quote!(#tokens.await) } else { tokens.clone() }
}
