//! The user's body, and the copies of arguments that each run of it takes.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Token;
use syn::spanned::Spanned as _;

use super::{Carries, Level, Scope, own_span};
use crate::params::{Binding, Passing};
use crate::paths::Paths;
use crate::policy::Uses;

impl Scope<'_> {
    /// The user's body as the innermost level.
    pub(super) fn body(&self) -> Level {
        let params = &self.func().params;
        let mentioned = Uses {
            bindings: (0..params.bindings.len()).filter(|at| params.bindings[*at].mentioned).collect(),
            receiver: params.receiver.as_ref().is_some_and(|receiver| receiver.mentioned),
        };
        let moved = Uses { bindings: self.cloned(&mentioned), receiver: self.given_self().is_some() };
        let block = self.attempt(&mentioned, &moved);
        let tokens = self.lowest(block);
        Level { carries: Carries::Answer, is_future: true, tokens, mentioned, moved }
    }

    /// The owned ones that no layer has been told to borrow.
    fn cloned(&self, mentioned: &Uses) -> Vec<usize> {
        let borrowed: Vec<Ident> =
            self.above.iter().filter_map(|layer| layer.policy.repeats()).flat_map(|it| it.borrowed).collect();
        let bindings = &self.func().params.bindings;
        let owned =
            |at: &usize| bindings[*at].passing == Passing::Owned && !borrowed.contains(&bindings[*at].ident);
        mentioned.bindings.iter().copied().filter(owned).collect()
    }

    /// The user's statements between the user's braces, behind the user's `async`.
    fn attempt(&self, mentioned: &Uses, moved: &Uses) -> TokenStream {
        let func = self.func();
        let asyncness = Token![async](func.asyncness);
        let takes_all = self.takes_all(mentioned, moved);
        let capture = takes_all.then(|| Token![move](Span::mixed_site()));
        let takes = if takes_all { TokenStream::new() } else { self.takes(mentioned, moved) };
        let edge = self.block_type(&takes);
        let fresh = if self.once() { TokenStream::new() } else { self.fresh(mentioned) };
        let (items, statements) = (&func.items, self.statements());
        let mut block = Group::new(Delimiter::Brace, quote!(#items #edge #fresh #statements));
        block.set_span(func.braces);
        quote!(#asyncness #capture #block)
    }

    /// Tells `?`, `return` and coercions what the body returns. With the user's own span the notes about it
    /// point at the return type instead of at the attribute.
    pub(super) fn block_type(&self, takes: &TokenStream) -> TokenStream {
        let never = self.rewrite.typed("never");
        quote_spanned!(self.func().ret_span()=> if false { #takes return #never(); })
    }

    /// References that the body may use up, made anew each time.
    fn fresh(&self, mentioned: &Uses) -> TokenStream {
        let mut lets = TokenStream::new();
        for (at, binding) in self.func().params.bindings.iter().enumerate() {
            if !mentioned.contains(at) {
                continue;
            }
            let Binding { ident, mutable, cfgs, .. } = binding;
            let value = match (binding.passing, self.is_kept(at)) {
                (Passing::RefMut, true) => quote!(&mut *#ident),
                (Passing::PinMut, true) => {
                    self.rewrite.change(Some(at), true);
                    quote!(::core::pin::Pin::as_mut(&mut #ident))
                }
                (Passing::Ref, _) if mutable.is_some() => quote!(#ident),
                _ => continue,
            };
            if binding.passing != Passing::PinMut && mutable.is_some() {
                self.rewrite.change(Some(at), false);
            }
            let allows = binding.allows(*mutable);
            lets.extend(quote_spanned! {own_span()=>
                #(#cfgs)*
                #(#allows)*
                #[allow(unused_variables, clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated)]
                let #mutable #ident = #value;
            });
        }
        lets
    }

    /// Clones what one attempt uses up; below them the level may run again.
    pub(crate) fn per_attempt(&self, level: Level) -> (TokenStream, Level) {
        let mut level = self.future(level);
        let mut lets = TokenStream::new();
        // Renewed for each attempt too.
        level.moved.receiver = false;
        for at in std::mem::take(&mut level.moved.bindings) {
            let binding = &self.func().params.bindings[at];
            if binding.passing != Passing::Owned {
                continue;
            }
            let mutable = binding.mutable.filter(|_| binding.mentioned);
            if mutable.is_some() {
                self.rewrite.change(Some(at), false);
            }
            lets.extend(copy(binding, "attempt_arg", &binding.ident, mutable));
        }
        (lets, level)
    }

    /// A variable as an argument of a fallback, which others of the chain or the next attempt may want again.
    /// Each attempt has copies of what it uses up, but for `self`.
    pub(crate) fn handed(&self, binding: Option<usize>, later: bool) -> TokenStream {
        let params = &self.func().params;
        let (passing, at, value) = match (binding.map(|at| &params.bindings[at]), &params.receiver) {
            (Some(it), _) => (it.passing, it.ty.span(), it.ident.to_token_stream()),
            (None, Some(it)) => (it.passing, it.token.span, it.token.to_token_stream()),
            (None, None) => return TokenStream::new(),
        };
        match passing {
            Passing::RefMut if later || self.runs_again() => quote!(&mut *#value),
            Passing::PinMut if later || self.runs_again() => {
                self.rewrite.change(binding, true);
                quote!(::core::pin::Pin::as_mut(&mut #value))
            }
            Passing::Owned if later || (binding.is_none() && self.runs_again()) => {
                cloned_at(at, "fallback_arg", &value)
            }
            _ => quote!(#value),
        }
    }
}

/// `let name = p::helper(&x);`, where a type that is no `Clone` is reported on the type.
pub(crate) fn copy(
    binding: &Binding,
    helper: &str,
    name: &Ident,
    mutable: Option<Token![mut]>,
) -> TokenStream {
    let Binding { ident, cfgs, ty, .. } = binding;
    let allows = binding.allows(mutable);
    let call = cloned_at(ty.span(), helper, ident);
    quote_spanned! {own_span()=>
        #(#cfgs)*
        #(#allows)*
        #[allow(clippy::shadow_reuse, clippy::shadow_same, clippy::shadow_unrelated, clippy::used_underscore_binding)]
        let #mutable #name = #call;
    }
}

/// `p::helper(&value)`, where a type that is no `Clone` is reported.
pub(super) fn cloned_at(at: Span, helper: &str, value: impl ToTokens) -> TokenStream {
    // Not the user's own span: the compiler would propose to borrow the argument, and no longer say why.
    let span = own_span().located_at(at);
    let (p, helper) = (Paths::imported_at(span), Ident::new(helper, span));
    quote_spanned!(span=> { let __given = &#value; #p::#helper(__given) })
}
