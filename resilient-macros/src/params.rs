//! The variables that a function's parameters bring into scope.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::parse::ParseStream;
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, FnArg, GenericArgument, Meta, Pat, PatIdent, PatType, PathArguments, Receiver, ReceiverKind,
    Signature, Token, Type, parse_quote,
};

use crate::scan::{self, Wanted};

/// How a variable can be handed to a block that runs more than once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passing {
    /// Cloned for each run.
    Owned,
    /// Copied by itself.
    Ref,
    /// Reborrowed.
    RefMut,
    /// Reborrowed with `Pin::as_mut`.
    PinMut,
}

/// A variable that a parameter binds.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    pub(crate) passing: Passing,
    pub(crate) mutable: Option<Token![mut]>,
    /// The type, or the name where only the compiler knows the type.
    pub(crate) ty: TokenStream,
    pub(crate) cfgs: Vec<Attribute>,
    /// Those of its parameter.
    allows: Vec<Attribute>,
    /// The body names it.
    pub(crate) mentioned: bool,
}

impl Binding {
    /// The `allow`s that a `mut` takes along when it moves from the parameter to a statement.
    pub(crate) fn allows(&self, mutable: Option<Token![mut]>) -> &[Attribute] {
        if mutable.is_some() { &self.allows } else { &[] }
    }
}

/// A parameter as a caller passes it on.
pub(crate) enum Parameter {
    Plain,
    /// A pattern, which has no name to pass on.
    Pattern(Box<Pat>),
}

pub(crate) struct SelfParameter {
    pub(crate) token: Token![self],
    pub(crate) passing: Passing,
    pub(crate) mutable: bool,
    /// An `Arc` or an `Rc`, whose copy costs nothing.
    pub(crate) counted: bool,
    pub(crate) mentioned: bool,
}

pub(crate) struct Params {
    pub(crate) receiver: Option<SelfParameter>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) parameters: Vec<Parameter>,
}

impl Params {
    pub(crate) fn new(sig: &Signature, body: &[TokenTree]) -> Self {
        let mut params = Self { receiver: None, bindings: Vec::new(), parameters: Vec::new() };
        for input in &sig.inputs {
            match input {
                FnArg::Receiver(receiver) => params.receiver = Some(self_parameter(receiver)),
                FnArg::Typed(typed) => params.typed(typed),
            }
        }
        params.note_mentions(body);
        params
    }

    fn note_mentions(&mut self, body: &[TokenTree]) {
        let receiver = self.receiver.as_ref().map(|receiver| Ident::from(receiver.token));
        let bindings = self.bindings.iter().map(|binding| &binding.ident);
        let mut wanted: Vec<Wanted> = bindings.chain(&receiver).map(Wanted::new).collect();
        body.iter().any(|token| scan::finds_all(token, &mut wanted));
        for (binding, wanted) in self.bindings.iter_mut().zip(&wanted) {
            binding.mentioned = wanted.found;
        }
        if let (Some(receiver), Some(wanted)) = (&mut self.receiver, wanted.last()) {
            receiver.mentioned = wanted.found;
        }
    }

    fn typed(&mut self, typed: &PatType) {
        let cfgs: Vec<Attribute> = typed.attrs.iter().flat_map(conditions).collect();
        let allows: Vec<Attribute> = typed.attrs.iter().filter_map(allowed).collect();
        let mut collect = Collect { bindings: &mut self.bindings, cfgs: &cfgs, allows: &allows };
        collect.pat(&typed.pat, Some(&typed.ty), None);
        self.parameters.push(match &*typed.pat {
            Pat::Ident(PatIdent { by_ref: None, subpat: None, .. }) => Parameter::Plain,
            pat => Parameter::Pattern(Box::new(pat.clone())),
        });
    }

    pub(crate) fn position(&self, name: &Ident) -> Option<usize> {
        self.bindings.iter().position(|binding| binding.ident == *name)
    }
}

/// The `cfg`s of a parameter, also those that a `cfg_attr` makes.
fn conditions(attr: &Attribute) -> Vec<Attribute> {
    if attr.path().is_ident("cfg") {
        return vec![attr.clone()];
    }
    let Some((first, cfgs)) = made_by_cfg_attr(attr, "cfg") else { return Vec::new() };
    let conditions = cfgs.iter().filter_map(|cfg| cfg.require_list().map(|list| list.tokens.clone()).ok());
    conditions.map(|condition| parse_quote!(#[cfg(any(not(#first), #condition))])).collect()
}

/// An `allow` of a parameter, also one that a `cfg_attr` makes.
fn allowed(attr: &Attribute) -> Option<Attribute> {
    if attr.path().is_ident("allow") {
        return Some(attr.clone());
    }
    let (first, allows) = made_by_cfg_attr(attr, "allow")?;
    (!allows.is_empty()).then(|| parse_quote!(#[cfg_attr(#first, #(#allows),*)]))
}

/// The condition of a `cfg_attr`, and those of its attributes that have this name.
fn made_by_cfg_attr(attr: &Attribute, name: &str) -> Option<(Meta, Vec<Meta>)> {
    let list = |input: ParseStream<'_>| Punctuated::<Meta, Token![,]>::parse_terminated(input);
    let parts = attr.path().is_ident("cfg_attr").then(|| attr.parse_args_with(list).ok())??;
    let mut parts = parts.into_iter();
    let first = parts.next()?;
    Some((first, parts.filter(|part| part.path().is_ident(name)).collect()))
}

fn self_parameter(receiver: &Receiver) -> SelfParameter {
    let passing = match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Passing::Ref,
        ReceiverKind::Reference(_, _, Some(_)) => Passing::RefMut,
        ReceiverKind::Typed(_, ty) => passing(ty),
        _ => Passing::Owned,
    };
    let counted = matches!(&receiver.kind, ReceiverKind::Typed(_, ty) if is_counted(ty));
    SelfParameter {
        token: receiver.self_token,
        passing,
        mutable: receiver.mutability.is_some(),
        counted,
        mentioned: false,
    }
}

fn is_counted(ty: &Type) -> bool {
    let Type::Path(path) = ungrouped(ty) else { return false };
    path.path.segments.last().is_some_and(|last| last.ident == "Arc" || last.ident == "Rc")
}

/// What the type alone says; an alias of a reference counts as owned and is cloned, which is as good.
fn passing(ty: &Type) -> Passing {
    match ungrouped(ty) {
        Type::Reference(reference) if reference.mutability.is_some() => Passing::RefMut,
        Type::Reference(_) => Passing::Ref,
        Type::Path(path) => match path.path.segments.last() {
            Some(last) if last.ident == "Pin" => pinned(&last.arguments),
            _ => Passing::Owned,
        },
        _ => Passing::Owned,
    }
}

fn pinned(arguments: &PathArguments) -> Passing {
    let PathArguments::AngleBracketed(arguments) = arguments else { return Passing::Owned };
    match arguments.args.first() {
        Some(GenericArgument::Type(ty)) => match passing(ty) {
            Passing::RefMut => Passing::PinMut,
            passing => passing,
        },
        _ => Passing::Owned,
    }
}

/// The type inside parentheses and the invisible groups of `macro_rules!`.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        ty => ty,
    }
}

struct Collect<'a> {
    bindings: &'a mut Vec<Binding>,
    cfgs: &'a [Attribute],
    allows: &'a [Attribute],
}

impl Collect<'_> {
    /// Follows pattern and type together as far as the type shows; `through` is the reference matched through.
    fn pat(&mut self, pat: &Pat, ty: Option<&Type>, through: Option<Passing>) {
        let ty = ty.map(ungrouped);
        match (pat, ty) {
            (Pat::Ident(ident), ty) => self.bind(ident, ty, through),
            (Pat::Paren(paren), ty) => self.pat(&paren.pat, ty, through),
            (Pat::Reference(pat), Some(Type::Reference(ty))) => self.pat(&pat.pat, Some(&ty.elem), None),
            (Pat::Tuple(pat), Some(Type::Tuple(ty))) if pat.elems.len() == ty.elems.len() => {
                for (pat, ty) in pat.elems.iter().zip(&ty.elems) {
                    self.pat(pat, Some(ty), through);
                }
            }
            (pat, Some(Type::Reference(ty))) => {
                let through = if ty.mutability.is_some() { Passing::RefMut } else { Passing::Ref };
                self.pat(pat, Some(&ty.elem), Some(through));
            }
            (pat, _) => {
                let mut inside = Inside { collect: self, through };
                syn::visit::visit_pat(&mut inside, pat);
            }
        }
    }

    fn bind(&mut self, pat: &PatIdent, ty: Option<&Type>, through: Option<Passing>) {
        let by_ref =
            pat.by_ref.map(|_| if pat.mutability.is_some() { Passing::RefMut } else { Passing::Ref });
        let passing = by_ref.or(through).or_else(|| ty.map(passing)).unwrap_or(Passing::Owned);
        self.bindings.push(Binding {
            ident: pat.ident.clone(),
            passing,
            mutable: pat.mutability.filter(|_| pat.by_ref.is_none()),
            ty: ty.map_or_else(|| pat.ident.to_token_stream(), quote::ToTokens::to_token_stream),
            cfgs: self.cfgs.to_vec(),
            allows: self.allows.to_vec(),
            mentioned: false,
        });
        if let Some((_, pat)) = &pat.subpat {
            self.pat(pat, ty, through);
        }
    }
}

/// Finds the bindings where the types of the parts are not written.
struct Inside<'a, 'b> {
    collect: &'a mut Collect<'b>,
    through: Option<Passing>,
}

impl<'ast> Visit<'ast> for Inside<'_, '_> {
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        let constant = pat.ident.to_string().starts_with(char::is_uppercase);
        if pat.by_ref.is_some() || !constant {
            self.collect.bind(pat, None, self.through);
        }
    }
}

/// What happens to the `mut` of a binding in the signature.
pub(crate) enum Mutability {
    Add,
    Remove,
}

/// Rewrites the `mut`s of a signature's patterns.
pub(crate) struct Mutabilities<'a> {
    pub(crate) changes: Vec<(&'a Ident, Mutability)>,
}

impl VisitMut for Mutabilities<'_> {
    fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
        if let Some((_, change)) = self.changes.iter().find(|(ident, _)| **ident == pat.ident) {
            pat.mutability = match change {
                Mutability::Remove => None,
                Mutability::Add => Some(pat.mutability.unwrap_or_default()),
            };
        }
        syn::visit_mut::visit_pat_ident_mut(self, pat);
    }
}
