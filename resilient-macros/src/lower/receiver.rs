//! `self` in a body that runs more than once.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Token;

use super::body::cloned_at;
use super::{Level, Scope, own_span};
use crate::func::Func;
use crate::params::Passing;
use crate::scan;

impl Func {
    /// Where an owned `self` is used up or changed.
    pub(crate) fn uses_up_self(&self) -> Option<Span> {
        let receiver = self.params.receiver.as_ref()?;
        if receiver.passing != Passing::Owned || !receiver.mentioned {
            return None;
        }
        let given = match scan::self_binding(&self.body) {
            Some((_, true)) => return Some(receiver.token.span),
            Some((_, false)) => scan::given_away(&self.body, "__self"),
            None => scan::given_away(&self.body, "self"),
        };
        given.map(|given| given.span()).or_else(|| receiver.mutable.then_some(receiver.token.span))
    }
}

impl Scope<'_> {
    /// The user's statements. They may give `self` away, as `async_trait` does in the first of them, although
    /// a second run needs it again.
    pub(super) fn statements(&self) -> TokenStream {
        let body = &self.func().body;
        let Some(receiver) = &self.func().params.receiver else { return body.clone() };
        let token = receiver.token;
        let value = match receiver.passing {
            Passing::RefMut if self.is_self_kept() => quote!(&mut *#token),
            Passing::Owned if self.is_self_kept() && self.given_self().is_none() => {
                return scan::replace_self_binding(body, &quote!(&#token));
            }
            Passing::PinMut if self.is_self_kept() => {
                self.rewrite.change(None, true);
                quote!(::core::pin::Pin::as_mut(&mut #token))
            }
            _ => return body.clone(),
        };
        scan::lend_self(body, &value)
    }

    /// Where an owned `self` is used up or changed, so that each attempt needs its own, unless they share it.
    pub(super) fn given_self(&self) -> Option<Span> {
        let func = self.func();
        let receiver = func.params.receiver.as_ref().filter(|_| !(self.overlap() || self.borrows("self")))?;
        let again = receiver.passing == Passing::Owned && receiver.mentioned && receiver.counted;
        func.uses_up_self().or_else(|| again.then_some(receiver.token.span))
    }

    /// `self` cannot be bound anew, but it can be assigned: once before all attempts, and for each.
    pub(crate) fn renewed_self(&self) -> (TokenStream, TokenStream) {
        let (Some(at), Some(receiver)) = (self.given_self(), &self.func().params.receiver) else {
            return Default::default();
        };
        self.rewrite.change(None, true);
        let token = receiver.token;
        let located = Token![self](token.span.located_at(at));
        let span = own_span();
        let kept = Ident::new("__resilient_self", span.located_at(at));
        let kept_by_others = self.kept().receiver;
        let value = if kept_by_others { cloned_at(at, "attempt_arg", located) } else { quote!(#token) };
        let copy = cloned_at(at, "attempt_arg", &kept);
        (quote_spanned!(span=> let #kept = #value;), quote_spanned!(span=> #token = #copy;))
    }

    /// A copy of an owned `self` that the level below uses up, and how whoever wants it after gets it back.
    pub(crate) fn kept_self(&self, level: &Level) -> (TokenStream, TokenStream) {
        let (true, Some(at), Some(receiver)) =
            (level.moved.receiver, self.given_self(), &self.func().params.receiver)
        else {
            return Default::default();
        };
        self.rewrite.change(None, true);
        let (token, span) = (receiver.token, own_span());
        let kept = Ident::new("__kept_self", span.located_at(at));
        let copy = cloned_at(at, "fallback_arg", Token![self](token.span.located_at(at)));
        (quote_spanned!(span=> let #kept = #copy;), quote_spanned!(span=> #token = #kept;))
    }

    /// Whether a layer has been told that the body only borrows `name`.
    fn borrows(&self, name: &str) -> bool {
        self.above
            .iter()
            .filter_map(|layer| layer.policy.repeats())
            .flat_map(|repeats| repeats.borrowed)
            .any(|borrowed| borrowed == name)
    }
}
