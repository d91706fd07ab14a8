//! What tells the calls of a function apart: an expression, or all arguments.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Expr, ExprLit, GenericArgument, Lifetime, Lit, PathArguments, Type, TypeReference};

use crate::args::ungrouped;
use crate::func::Func;
use crate::lower::{Scope, own_span};
use crate::params::{self, Binding, Passing};
use crate::paths::Paths;
use crate::policy::Uses;
use crate::reader::Reader;

/// Parts that the runtime puts together.
const MOST: usize = 8;

pub(crate) enum Key {
    Arguments,
    /// Each part of a tuple, or one expression.
    Written(Vec<Expr>),
}

impl Key {
    /// Reads `key`; without it the arguments have to be one.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Self {
        owned_value(reader);
        let written = reader.has("key");
        let Some(key) = reader.expression("key", "(tenant, id)") else {
            let func = reader.func.filter(|_| !written);
            for (at, message) in func.map(|func| faults(reader.kind.stem, func)).unwrap_or_default() {
                reader.diag.at(at, message);
            }
            return Self::Arguments;
        };
        if let Some(fault) = no_key(&key) {
            reader.diag.at(&key, fault);
        }
        let parts: Vec<Expr> = match ungrouped(key) {
            Expr::Tuple(tuple) => tuple.elems.into_iter().collect(),
            one => vec![one],
        };
        for (part, fault) in parts.iter().filter_map(|it| Some((it, borrowed_part(it, reader.func?)?))) {
            reader.diag.at(part, fault);
        }
        if let Some(last) = parts.get(MOST) {
            reader.diag.at(last, format!("a key has at most {MOST} parts: put some of them into a struct"));
        }
        Self::Written(parts)
    }

    pub(crate) fn uses(&self, scope: &Scope<'_>) -> Uses {
        match self {
            Self::Arguments => {
                Uses { bindings: (0..scope.func().params.bindings.len()).collect(), receiver: false }
            }
            Self::Written(parts) => scope.mentioned(&quote!(#(#parts),*)),
        }
    }

    /// A call of `p::function` with the place of the layer, the site of the call and its key.
    ///
    /// What an expression makes for the key lives as long as that call and no longer.
    pub(crate) fn asked(&self, function: &str, scope: &Scope<'_>) -> TokenStream {
        let (p, place, span) = (scope.p(), scope.place(), own_span());
        let function = Ident::new(function, span);
        let parts: Vec<TokenStream> = match self {
            Self::Arguments => {
                let bindings = scope.func().params.bindings.iter();
                bindings.map(|it| part(&it.ident, place_of(&it.ty))).collect()
            }
            Self::Written(parts) => parts.iter().map(|it| part(it, it.span())).collect(),
        };
        if parts.is_empty() {
            return quote_spanned!(span=> #p::#function(#place, #p::site(|| {}), &()));
        }
        // The body need not use what the key does.
        quote_spanned!(span=> {
            #[allow(unused_imports)]
            use #p::{ViaItself as _, ViaNoReference as _, ViaNothing as _, ViaReference as _};
            #[allow(clippy::used_underscore_binding)]
            let __asked = #p::#function(#place, #p::site(|| {}), &(#(#parts,)*));
            __asked
        })
    }
}

/// Where an error about a value of this type belongs.
fn place_of(ty: &TokenStream) -> Span {
    match syn::parse2(ty.clone()) {
        Ok(Type::Reference(reference)) => reference.elem.span(),
        _ => ty.span(),
    }
}

fn part(value: &impl ToTokens, at: Span) -> TokenStream {
    let at = own_span().located_at(at);
    let p = Paths::imported_at(at);
    quote_spanned!(at=> (&&&#p::PartOf(&(#value))).part())
}

/// Why an expression is surely not what was meant.
fn no_key(key: &Expr) -> Option<String> {
    match key {
        Expr::Closure(_) => {
            Some("`key` needs no closure: the arguments are in scope, as in `key = (tenant, id)`".to_owned())
        }
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(format!(
            "this text is the same for all calls, so that all would get one answer: write `key = (tenant, id)`, or \
             `name = {:?}` for a name",
            text.value()
        )),
        _ => None,
    }
}

/// Why an argument cannot be part of the key as it is.
fn borrowed_part(part: &Expr, func: &Func) -> Option<String> {
    let Expr::Path(path) = part else { return None };
    let name = path.path.get_ident()?;
    let argument = func.params.bindings.iter().find(|it| it.ident == *name)?;
    holds_a_borrow(argument).then(|| {
        format!("`{name}` holds a borrow, so it cannot be kept as part of the key: make what is kept of it, as in `{name}.to_string()`")
    })
}

/// Why the arguments cannot be the key.
fn faults(stem: &str, func: &Func) -> Vec<(TokenStream, String)> {
    let params = &func.params;
    if let Some(receiver) = &params.receiver {
        let message = format!(
            "`#[{stem}]` on a method needs a `key`, because it cannot know what of `self` makes a difference: \
             `key = id`, or `key = (self.tenant, id)`"
        );
        return vec![(receiver.token.to_token_stream(), message)];
    }
    if params.bindings.len() > MOST {
        let message = format!("`#[{stem}]` needs a `key`: there are more than {MOST} arguments");
        return vec![(func.sig.ident.to_token_stream(), message)];
    }
    params.bindings.iter().filter_map(|binding| Some((binding.ty.clone(), fault(stem, binding)?))).collect()
}

fn fault(stem: &str, binding: &Binding) -> Option<String> {
    let name = &binding.ident;
    if !binding.cfgs.is_empty() {
        return Some(format!("`#[{stem}]` needs a `key`: `{name}` is not always there"));
    }
    if matches!(binding.passing, Passing::RefMut | Passing::PinMut) {
        return Some(format!(
            "`{name}` may be changed, so it cannot be part of the key: say what is with `key = …`"
        ));
    }
    holds_a_borrow(binding).then(|| {
        format!(
            "`{name}` holds a borrow, so it cannot be kept as part of the key: say what is with `key = …`"
        )
    })
}

/// More than a reference, through which a key sees.
fn holds_a_borrow(binding: &Binding) -> bool {
    let Ok(ty) = syn::parse2::<Type>(binding.ty.clone()) else { return false };
    let inside = match params::ungrouped(&ty) {
        Type::Reference(reference) => &reference.elem,
        other => other,
    };
    borrows(inside)
}

/// What is kept for others cannot be borrowed from this caller's arguments.
fn owned_value(reader: &mut Reader<'_>) {
    let stem = reader.kind.stem;
    let Some(value) = reader.func.and_then(|func| value_type(&func.ret.ty)) else { return };
    if borrows(value) {
        let message = format!(
            "`#[{stem}]` gives this value to other callers, so it cannot be borrowed: return an owned one"
        );
        reader.diag.at(value, message);
    }
}

/// The first argument of a `Result` under whatever name.
fn value_type(ret: &Type) -> Option<&Type> {
    let Type::Path(path) = params::ungrouped(ret) else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether a type names a lifetime that ends.
fn borrows(ty: &Type) -> bool {
    #[derive(Default)]
    struct Found(bool);
    impl<'ast> Visit<'ast> for Found {
        fn visit_type_reference(&mut self, reference: &'ast TypeReference) {
            self.0 |= reference.lifetime.is_none();
            syn::visit::visit_type_reference(self, reference);
        }
        fn visit_lifetime(&mut self, lifetime: &'ast Lifetime) {
            self.0 |= lifetime.ident != "static";
        }
    }
    let mut found = Found::default();
    found.visit_type(ty);
    found.0
}
