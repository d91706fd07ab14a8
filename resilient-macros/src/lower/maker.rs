//! The closure that makes the attempts of a call, where several run side by side.

use proc_macro2::TokenStream;
use quote::{format_ident, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;

use super::body::cloned_at;
use super::{Level, Scope, awaited, own_span};
use crate::params::Passing;
use crate::policy::Uses;

impl Scope<'_> {
    /// Turns a level into what makes it again and again: each has its own copies, and shares the rest.
    ///
    /// The closure owns what it copies, unless a layer above needs that too, or the attempts share it. Then it
    /// borrows: what it copies uniquely, because a shared borrow of a `Send` value need not be `Send`.
    pub(crate) fn maker(&self, level: Level) -> Level {
        let span = own_span();
        let bindings = &self.func().params.bindings;
        let owned = |at: &usize| bindings[*at].passing == Passing::Owned;
        let copied: Vec<usize> = level.moved.bindings.iter().copied().filter(owned).collect();
        let outside = Self { rewrite: self.rewrite, above: &self.above[..self.index], index: self.index };
        if self.lends(&level.mentioned, &copied) {
            return self.lending_maker(level, &copied);
        }
        let (clones, level) = self.per_attempt(level);
        if outside.takes_all(&level.mentioned, &Uses::default()) {
            return level.map_value(|inner| quote_spanned!(span=> move || { #clones #inner }));
        }
        let takes = self.takes_uniquely(&copied);
        level.map_value(|inner| quote_spanned!(span=> || { #takes #clones #inner }))
    }

    /// A block that borrows what the attempts share cannot be `async move`. So that it takes its copies by value
    /// all the same, also of types that are `Copy`, they come in something that is not.
    fn lending_maker(&self, level: Level, copied: &[usize]) -> Level {
        let (span, p) = (own_span(), self.p());
        let (mut makes, mut takes) = (self.takes_uniquely(copied), TokenStream::new());
        for at in copied {
            let binding = &self.func().params.bindings[*at];
            let (ident, cfgs) = (&binding.ident, &binding.cfgs);
            let mutable = binding.mutable.filter(|_| binding.mentioned);
            let allows = binding.allows(mutable);
            let own = format_ident!("__own_{}", ident.unraw(), span = span);
            let copy = cloned_at(binding.ty.span(), "attempt_arg", ident);
            makes.extend(quote_spanned!(span=> #(#cfgs)* let #own = #p::own(#copy);));
            takes.extend(quote_spanned! {span=>
                #(#cfgs)*
                #(#allows)*
                #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated, clippy::used_underscore_binding)]
                let #mutable #ident = #own.take();
            });
        }
        let mut level = level;
        level.moved.bindings.retain(|at| !copied.contains(at));
        let inner = awaited(&level);
        level.map_value(|_| quote_spanned!(span=> || { #makes async { #takes #inner } }))
    }

    /// Whether the attempts share something that the closure would own.
    fn lends(&self, mentioned: &Uses, copied: &[usize]) -> bool {
        let params = &self.func().params;
        let owned = |at: &usize| params.bindings[*at].passing == Passing::Owned && !copied.contains(at);
        let receiver = params.receiver.as_ref().filter(|_| mentioned.receiver);
        mentioned.bindings.iter().any(owned) || receiver.is_some_and(|it| it.passing == Passing::Owned)
    }

    /// Statements that are never run and tell the compiler how a closure captures.
    fn takes_uniquely(&self, copied: &[usize]) -> TokenStream {
        let span = own_span();
        let takes = copied.iter().map(|at| {
            let binding = &self.func().params.bindings[*at];
            let (ident, cfgs) = (&binding.ident, &binding.cfgs);
            self.rewrite.change(Some(*at), true);
            quote_spanned!(span=> #(#cfgs)* let __taken = &mut #ident;)
        });
        let takes: TokenStream = takes.collect();
        if takes.is_empty() { takes } else { quote_spanned!(span=> if false { #takes }) }
    }
}
