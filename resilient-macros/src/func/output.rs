//! The return type: what it is to the rewrite, and what it cannot be.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::VisitMut;
use syn::{GenericArgument, PathArguments, Signature, Token, Type, TypePath};

use crate::diag::Diag;
use crate::params::ungrouped;
use crate::scan;

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// The return type with each `impl Trait` as `_`.
pub(crate) struct Returned {
    pub(crate) ty: Type,
    /// Whether it is the return type as it stands.
    pub(crate) spelt_out: bool,
    pub(super) span: Span,
    /// The rewrite writes them in many places.
    tokens: TokenStream,
}

impl Returned {
    pub(super) fn new(output: Option<Type>) -> Self {
        let (ty, spelt_out) = erased(output.unwrap_or_else(|| syn::parse_quote!(())));
        let trees: Vec<TokenTree> = ty.to_token_stream().into_iter().collect();
        let ends = trees.first().zip(trees.last()).map(|(first, last)| (first.span(), last.span()));
        let span = ends.map_or_else(Span::call_site, |(first, last)| first.join(last).unwrap_or(first));
        Self { ty, spelt_out, span, tokens: trees.into_iter().collect() }
    }
}

impl Returned {
    /// Whether a good answer surely is no `Result` itself, whatever aliases there are.
    pub(crate) fn holds_no_result(&self) -> bool {
        let Type::Path(path) = ungrouped(&self.ty) else { return false };
        let Some(last) = path.path.segments.last() else { return false };
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { return false };
        let Some(GenericArgument::Type(value)) = arguments.args.first() else { return false };
        last.ident.to_string().ends_with("Result")
            && match ungrouped(value) {
                Type::Path(path) => is_known(path) || is_option(path),
                Type::Tuple(_) | Type::Reference(_) | Type::Array(_) => true,
                _ => false,
            }
    }
}

impl ToTokens for Returned {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.tokens.to_tokens(tokens);
    }
}

/// Reports what no alias can turn into a `Result`; the rest is left to the compiler.
pub(super) fn returns_result(ret: Option<&Type>, sig: &Signature, stem: &str, diag: &mut Diag) {
    let why = format!("`#[{stem}]` has to see failures, and");
    let Some(ty) = ret else {
        diag.at(&sig.ident, format!("{why} `{}` returns nothing: write `-> Result<(), …>`", sig.ident));
        return;
    };
    let text = || scan::source(ty.to_token_stream());
    let fix = match ungrouped(ty) {
        Type::Never(_) => "a function that never returns cannot fail".to_owned(),
        Type::Path(path) if is_option(path) => {
            "turn the `None` into an error with `.ok_or(…)` and return a `Result`".to_owned()
        }
        Type::Path(path) if !is_known(path) => return,
        Type::Path(_) | Type::Tuple(_) | Type::Reference(_) | Type::Array(_) | Type::ImplTrait(_) => {
            format!("write `Result<{}, …>`", text())
        }
        Type::Slice(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::TraitObject(_) => {
            "return a `Result`".to_owned()
        }
        _ => return,
    };
    diag.at(ty, format!("{why} `{}` is no `Result`: {fix}", text()));
}

fn is_option(path: &TypePath) -> bool {
    path.path.segments.last().is_some_and(|last| last.ident == "Option" && !last.arguments.is_none())
}

/// A type of the prelude that nobody gives to something else.
fn is_known(path: &TypePath) -> bool {
    let Some(name) =
        path.path.segments.last().filter(|_| path.path.segments.len() == 1 && path.qself.is_none())
    else {
        return false;
    };
    let generic = !name.arguments.is_none();
    let name = name.ident.to_string();
    if generic {
        return ["Vec", "Box"].contains(&name.as_str());
    }
    name == "String" || PRIMITIVES.contains(&name.as_str())
}

/// The type with `_` for what has no name.
fn erased(mut ty: Type) -> (Type, bool) {
    struct Erase {
        found: bool,
    }
    impl VisitMut for Erase {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if let Type::ImplTrait(found) = ty {
                self.found = true;
                let span = found.impl_token.span;
                *ty = Type::Infer(syn::TypeInfer { attrs: Vec::new(), underscore_token: Token![_](span) });
                return;
            }
            syn::visit_mut::visit_type_mut(self, ty);
        }
    }
    let mut erase = Erase { found: false };
    erase.visit_type_mut(&mut ty);
    (ty, !erase.found)
}
