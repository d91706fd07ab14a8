//! The one rewrite: from the innermost layer out.
//!
//! ```text
//! #[timeout("2s")]
//! #[retry(max = 4)]
//! async fn charge(&mut self, id: &str, order: Order) -> Result<Receipt, PayError> { BODY }
//!
//! async fn charge(&mut self, id: &str, order: Order) -> Result<Receipt, PayError> {
//!     use ::resilient_runtime::__private as p;
//!     static __RESILIENT: p::Record<(p::LayerSite<p::TimeoutPolicy>, (p::LayerSite<p::RetryPolicy>, ()))> = …;
//!     let __class = p::errors::<RET>().class();
//!     let reply = p::timeout(p::limit(&__RESILIENT.function, &__RESILIENT.sites.0), async move {
//!         let mut __retry = p::retry(&__RESILIENT.function, &__RESILIENT.sites.1.0);
//!         loop {
//!             let order = p::attempt_arg(&order);
//!             match p::attempt(&mut __retry, async { TYPED; BODY }, __class).await {
//!                 p::After::Done(out) => break out,
//!                 p::After::Again => {}
//!             }
//!         }
//!     }, __class).await;
//!     p::settled::<RET>()(reply)
//! }
//! ```
//!
//! `TYPED` is a statement that is never run and tells the block its type.
//!
//! A block that runs once is `async move`, and so is one that only takes copies and shared references.
//! One that borrows what a later run or a layer above still needs is a plain `async` that takes by
//! value what it uses up and borrows the rest uniquely: a unique borrow of a `Send` value is `Send`,
//! a shared one is not.

use std::cell::RefCell;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::visit_mut::VisitMut as _;
use syn::{Expr, FnArg, Signature};

use crate::func::{Func, rebuilt};
use crate::params::{Mutabilities, Mutability, Passing};
use crate::paths::Paths;
use crate::policy::{Layer, Uses};
use crate::{record, scan};

mod body;
mod level;
mod maker;
mod receiver;
mod tokens;
mod watch;

pub(crate) use self::body::copy;
pub(crate) use self::level::{Carries, Level, awaited};
pub(crate) use self::tokens::{function_value, optional, respanned};

/// One function while it is rewritten.
struct Rewrite<'a> {
    func: &'a Func,
    layers: &'a [Layer],
    p: Ident,
    /// Bindings, by index, whose `mut` in the signature changes; `None` is `self`.
    mutabilities: RefCell<Vec<(Option<usize>, bool)>>,
}

/// The place of one layer: what it may ask while it wraps.
pub(crate) struct Scope<'a> {
    rewrite: &'a Rewrite<'a>,
    /// The layers at and above this place.
    above: &'a [Layer],
    index: usize,
}

/// Rewrites the function through all its layers, top first.
pub(crate) fn lower(func: &Func, layers: &[Layer], paths: &Paths) -> TokenStream {
    let rewrite = Rewrite { func, layers, p: Paths::imported(), mutabilities: RefCell::default() };
    let mut level = rewrite.scope(layers.len()).body();
    for (index, layer) in layers.iter().enumerate().rev() {
        level = layer.policy.wrap(&rewrite.scope(index), level);
    }
    let answer = rewrite.edge(&rewrite.watched(level));
    let record = record::record(paths, layers);
    let sig = rewrite.signature();
    let errors = rewrite.errors();
    let import = paths.import();
    rebuilt(func, &sig, &quote!(#import #record #errors #answer))
}

impl<'a> Rewrite<'a> {
    fn scope(&'a self, index: usize) -> Scope<'a> {
        let above = self.layers.get(..=index).unwrap_or(self.layers);
        Scope { rewrite: self, above, index }
    }

    /// `p::name::<Ret>`, which asks for a `Result`; they stand in several places, but having one span they
    /// make one error.
    fn typed(&self, name: &str) -> TokenStream {
        let (span, ret) = (self.func.ret_span(), &self.func.ret);
        let (p, name) = (Paths::imported_at(span), Ident::new(name, span));
        quote_spanned!(span=> #p::#name::<#ret>)
    }

    /// What knows the class of the user's errors, at once or when the body has been typed.
    fn errors(&self) -> TokenStream {
        let p = &self.p;
        if !self.func.ret.spelt_out {
            return quote_spanned!(own_span()=> let __errors = #p::errors_of(););
        }
        let errors = self.typed("errors");
        let errors = quote_spanned!(self.func.ret_span()=> #errors());
        quote_spanned!(own_span()=> let __class = #errors.class();)
    }

    /// The stack's edge: a rejection that got this far becomes the user's error.
    fn edge(&self, level: &Level) -> TokenStream {
        let answer = awaited(level);
        match level.carries {
            Carries::Answer => answer,
            Carries::Reply => {
                let settled = self.typed("settled");
                let settled = quote_spanned!(self.func.ret_span()=> #settled());
                // In braces of our own, behind which no lint counts the user's blocks one deeper; and in two
                // steps, so that the future does not keep the function.
                quote_spanned!(own_span()=> { let __reply = #answer; #settled(__reply) })
            }
        }
    }

    fn change(&self, binding: Option<usize>, add: bool) {
        self.mutabilities.borrow_mut().push((binding, add));
    }

    fn signature(&self) -> Signature {
        let mut sig = self.func.sig.clone();
        let changes = self.mutabilities.borrow();
        let bindings = &self.func.params.bindings;
        let named = |(binding, add): &(Option<usize>, bool)| {
            let change = if *add { Mutability::Add } else { Mutability::Remove };
            binding.and_then(|binding| bindings.get(binding)).map(|binding| (&binding.ident, change))
        };
        let (added, removed): (Vec<_>, Vec<_>) = changes.iter().partition(|(_, add)| *add);
        let mut rewrite = Mutabilities { changes: added.iter().chain(&removed).filter_map(named).collect() };
        for input in &mut sig.inputs {
            match input {
                FnArg::Typed(typed) => rewrite.visit_pat_mut(&mut typed.pat),
                FnArg::Receiver(receiver) if added.iter().any(|(binding, _)| binding.is_none()) => {
                    receiver.mutability = Some(receiver.mutability.unwrap_or_default());
                }
                FnArg::Receiver(_) => {}
            }
        }
        sig
    }
}

/// Where names are our own and errors belong to the attribute.
pub(crate) fn own_span() -> Span {
    Span::mixed_site()
}

impl Scope<'_> {
    pub(crate) fn p(&self) -> &Ident {
        &self.rewrite.p
    }

    pub(crate) fn func(&self) -> &Func {
        self.rewrite.func
    }

    /// The arguments that find this layer's policy.
    pub(crate) fn place(&self) -> TokenStream {
        let below = (0..self.index).map(|_| Literal::usize_unsuffixed(1));
        quote_spanned!(own_span()=> &__RESILIENT.function, &__RESILIENT.sites #(.#below)*.0)
    }

    /// A refusal or a failure as the user's error, where one is handed to the user's code.
    pub(crate) fn edge(&self, fault: &TokenStream) -> TokenStream {
        let span = self.func().ret_span();
        let p = Paths::imported_at(span);
        let edge = quote_spanned!(span=> #p::edge());
        quote_spanned!(own_span()=> #edge(#fault))
    }

    /// The error of an answer, or the answer itself.
    pub(crate) fn failed(&self, answer: &TokenStream) -> TokenStream {
        let failed = self.rewrite.typed("failed");
        quote_spanned!(self.func().ret_span()=> #failed(#answer))
    }

    /// An expression that must have the function's return type.
    pub(crate) fn returned(&self, answer: &TokenStream) -> TokenStream {
        let (name, ret) = (Ident::new("__resilient_result", self.func().ret_span()), &self.func().ret);
        quote_spanned!(own_span()=> { let #name: #ret = #answer; #name })
    }

    /// A value of the function's success type as its answer.
    pub(crate) fn value(&self, value: &Expr) -> TokenStream {
        let (span, ret) = (self.func().ret_span(), &self.func().ret);
        let (p, held) = (Paths::imported_at(span), Ident::new("__resilient_value", span));
        let ty = quote_spanned!(span=> <#ret as #p::Outcome>::Value);
        let answer = self.rewrite.typed("answer");
        let answer = quote_spanned!(span=> #answer(#held));
        quote_spanned!(own_span()=> { let #held: #ty = #value; #answer })
    }

    /// The user's block as a level.
    fn lowest(&self, block: TokenStream) -> TokenStream {
        if self.func().ret.spelt_out {
            return self.watched_attempt(block);
        }
        let p = self.p();
        self.watched_attempt(quote_spanned!(own_span()=> #p::body(#block, __errors)))
    }

    /// How the user's error is classified.
    pub(crate) fn class(&self) -> TokenStream {
        if self.func().ret.spelt_out {
            quote_spanned!(own_span()=> __class)
        } else {
            quote_spanned!(own_span()=> __errors.class())
        }
    }

    /// How one of the function's values can be given to several callers.
    pub(crate) fn copies(&self) -> TokenStream {
        if !self.func().ret.spelt_out {
            let p = self.p();
            return quote_spanned!(own_span()=> #p::ByClone);
        }
        let values = self.rewrite.typed("values");
        quote_spanned!(self.func().ret_span()=> #values().copies())
    }

    /// The same of its errors.
    pub(crate) fn error_copies(&self) -> TokenStream {
        if !self.func().ret.spelt_out {
            return quote_spanned!(own_span()=> __errors.copies());
        }
        let errors = self.rewrite.typed("errors");
        quote_spanned!(self.func().ret_span()=> #errors().copies())
    }

    /// The variables that `tokens` name.
    pub(crate) fn mentioned(&self, tokens: &TokenStream) -> Uses {
        let params = &self.func().params;
        let bindings = params.bindings.iter().enumerate();
        Uses {
            bindings: bindings
                .filter(|(_, it)| scan::mentions(tokens, &it.ident))
                .map(|(at, _)| at)
                .collect(),
            receiver: params.receiver.is_some() && scan::variable(tokens, "self").is_some(),
        }
    }

    /// The level as a future.
    pub(crate) fn future(&self, level: Level) -> Level {
        if level.is_future {
            return level;
        }
        let tokens = self.block(&level);
        Level { is_future: true, tokens, ..level }
    }

    fn runs_again(&self) -> bool {
        self.above.iter().any(|layer| layer.policy.repeats().is_some())
    }

    /// Whether runs of a block at this place overlap, so that they share what they borrow.
    fn overlap(&self) -> bool {
        self.above.iter().filter_map(|layer| layer.policy.repeats()).any(|repeats| repeats.overlap)
    }

    /// What is still needed after a block at this place has run.
    fn kept(&self) -> Uses {
        let mut uses = Uses::default();
        for layer in self.above {
            uses.add(&layer.policy.needs(self.func()));
        }
        uses
    }

    fn once(&self) -> bool {
        let kept = self.kept();
        !self.runs_again() && kept.bindings.is_empty() && !kept.receiver
    }

    fn is_kept(&self, binding: usize) -> bool {
        self.runs_again() || self.kept().contains(binding)
    }

    fn is_self_kept(&self) -> bool {
        self.runs_again() || self.kept().receiver
    }

    /// Whether a block may take all its variables by value: it is the last to need them, or they are shared
    /// references or copies made for it.
    fn takes_all(&self, mentioned: &Uses, moved: &Uses) -> bool {
        let params = &self.func().params;
        let lent = |passing, kept, moved: bool| match passing {
            Passing::Ref => false,
            Passing::RefMut | Passing::PinMut => kept,
            Passing::Owned => kept && !moved,
        };
        let mut bindings = params.bindings.iter().enumerate().filter(|(at, _)| mentioned.contains(*at));
        let receiver = params.receiver.as_ref().filter(|_| mentioned.receiver);
        self.once()
            || !(bindings.any(|(at, it)| lent(it.passing, self.is_kept(at), moved.contains(at)))
                || receiver.is_some_and(|it| lent(it.passing, self.is_self_kept(), false)))
    }

    /// An intermediate block.
    fn block(&self, level: &Level) -> TokenStream {
        let (span, content) = (own_span(), &level.tokens);
        if self.takes_all(&level.mentioned, &level.moved) {
            return quote_spanned!(span=> async move { #content });
        }
        let takes = self.takes(&level.mentioned, &level.moved);
        quote_spanned!(span=> async {
            if false {
                #takes
                loop {}
            }
            #content
        })
    }

    /// Statements that are never run and tell the compiler how a plain block captures.
    fn takes(&self, mentioned: &Uses, moved: &Uses) -> TokenStream {
        let params = &self.func().params;
        let mut takes = TokenStream::new();
        for (at, binding) in params.bindings.iter().enumerate().filter(|(at, _)| mentioned.contains(*at)) {
            let (ident, cfgs) = (&binding.ident, &binding.cfgs);
            let unique = self.is_kept(at) && !(binding.passing == Passing::Owned && moved.contains(at));
            if unique && self.overlap() {
                continue;
            }
            let take = match (binding.passing, unique) {
                (Passing::Ref, _) | (Passing::RefMut | Passing::PinMut, true) => continue,
                (Passing::Owned, true) => {
                    self.rewrite.change(Some(at), true);
                    quote!(&mut #ident)
                }
                _ => quote!(#ident),
            };
            takes.extend(quote_spanned!(own_span()=> #(#cfgs)* let __taken = #take;));
        }
        if let Some(receiver) = params.receiver.as_ref().filter(|_| mentioned.receiver && !self.overlap()) {
            let token = receiver.token;
            let take = match (receiver.passing, self.is_self_kept()) {
                (Passing::Ref, _) | (Passing::RefMut | Passing::PinMut, true) => return takes,
                (Passing::Owned, true) => {
                    self.rewrite.change(None, true);
                    quote!(&mut #token)
                }
                _ => quote!(#token),
            };
            takes.extend(quote_spanned!(own_span()=> let __taken = #take;));
        }
        takes
    }
}
