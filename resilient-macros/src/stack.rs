//! The relay: the attributes of one function pass their arguments down, and the last one rewrites.
//!
//! Attributes expand from the top, each seeing those below it unexpanded. The first leaves what it was given in
//! a `__stack(…)` behind its last sibling; each sibling adds itself; the last one finds the whole stack.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens as _, quote, quote_spanned};
use resilient_settings::stack;

use crate::args::{Args, Form};
use crate::diag::{Diag, listed};
use crate::func::Func;
use crate::item::{Annotated, Attr};
use crate::paths::Paths;
use crate::policy::{self, Layer};
use crate::reader::Reader;
use crate::{lower, order, record};

/// An attribute as it was written.
struct Raw {
    /// Its stem, with the span of the attribute.
    stem: Ident,
    args: TokenStream,
}

/// One attribute of the family runs.
pub(crate) fn enter(stem: &str, args: TokenStream, item: TokenStream) -> TokenStream {
    let mut item = Annotated::parse(item);
    if let Some(applied) = item.attrs.iter().position(|attr| attr.name() == "__applied") {
        return too_late(stem, applied, item);
    }
    let mut stack = taken(&mut item);
    stack.push(Raw { stem: Ident::new(stem, item.here()), args });
    let Some(last) = item.attrs.iter().rposition(is_family) else {
        return apply(&stack, item);
    };
    item.attrs.insert(last + 1, relay(stack));
    item.into_tokens()
}

/// The attribute that takes the stack to the next one.
fn relay(stack: Vec<Raw>) -> Attr {
    let read: Vec<_> = stack.iter().filter(|raw| names_crate(&raw.args)).map(arguments).collect();
    let paths = paths(read.iter().map(|(args, _)| args), &mut Diag::default());
    let mut entries = TokenStream::new();
    for Raw { stem, args } in stack {
        if !entries.is_empty() {
            entries.extend([TokenTree::from(Punct::new(',', Spacing::Alone))]);
        }
        entries.extend([TokenTree::from(stem), Group::new(Delimiter::Parenthesis, args).into()]);
    }
    let p = paths.private();
    Attr::new("__stack", quote!(#p::__stack(#entries)))
}

/// The relay itself runs when what stood before it was another crate's attribute of the same name.
pub(crate) fn collected(args: TokenStream, item: TokenStream) -> TokenStream {
    apply(&entries(args), Annotated::parse(item))
}

fn is_family(attr: &Attr) -> bool {
    policy::kind(attr.name()).is_some()
}

/// Takes the relay out of the attributes.
fn taken(item: &mut Annotated) -> Vec<Raw> {
    let position = item.attrs.iter().position(|attr| attr.name() == "__stack");
    position.map(|position| entries(item.attrs.remove(position).arguments())).unwrap_or_default()
}

fn entries(tokens: TokenStream) -> Vec<Raw> {
    let mut stack = Vec::new();
    let mut stem = None;
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => stem = Some(ident),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                stack.extend(stem.take().map(|stem| Raw { stem, args: group.stream() }));
            }
            _ => {}
        }
    }
    stack
}

/// Whether arguments can hold a `crate = …`, which few do.
fn names_crate(args: &TokenStream) -> bool {
    args.clone().into_iter().any(|token| match token {
        TokenTree::Ident(word) => word == "crate",
        TokenTree::Group(group) => group.delimiter() == Delimiter::None,
        _ => false,
    })
}

/// The runtime's path: every attribute may give it, and those that do must agree.
pub(crate) fn paths<'a>(stack: impl IntoIterator<Item = &'a Args>, diag: &mut Diag) -> Paths {
    let mut found: Option<Paths> = None;
    for args in stack {
        let Some(Form::Value(value)) = args.get("crate").map(|arg| &arg.form) else { continue };
        let Some(paths) = Paths::named(value, diag) else { continue };
        match &found {
            Some(first) if !first.same(&paths) => {
                diag.at(value, "the attributes of one function must give the same `crate`");
            }
            Some(_) => {}
            None => found = Some(paths),
        }
    }
    found.unwrap_or_default()
}

/// Reads the whole stack and rewrites the function, or reports everything that is wrong.
fn apply(stack: &[Raw], item: Annotated) -> TokenStream {
    let mut diag = Diag::default();
    let read: Vec<(Args, Diag)> = stack.iter().map(arguments).collect();
    let paths = paths(read.iter().map(|(args, _)| args), &mut diag);
    let first = stack.first().map(|raw| raw.stem.to_string()).unwrap_or_default();
    let func = Func::parse(&item, &first, &mut diag);
    let mut layers = Vec::new();
    for (raw, (args, faults)) in stack.iter().zip(read) {
        diag.append(faults);
        layers.extend(layers_of(raw, args, func.as_ref(), &mut diag));
    }
    order::check(&layers, func.as_ref(), &mut diag);
    let Some(mut func) = func.filter(|_| diag.is_empty()) else {
        let (item, errors) = (item.into_tokens(), diag.into_tokens());
        // What the attributes would have used is not worth a warning now.
        return quote!(#[allow(unused)] #item #errors);
    };
    let section = record::section(&func.docs(), &layers);
    func.attrs.extend(section.iter().map(|line| Attr::new("doc", line.meta.to_token_stream())));
    let p = paths.private();
    if item.attrs.iter().any(|attr| !is_built_in(attr)) {
        let stems = stack.iter().map(|raw| Ident::new(&raw.stem.to_string(), Span::call_site()));
        func.attrs.push(Attr::new("__applied", quote!(#p::__applied(#(#stems),*))));
    }
    lower::lower(&func, &layers, &paths)
}

/// The arguments told apart, and what was wrong with that.
fn arguments(raw: &Raw) -> (Args, Diag) {
    let mut faults = Diag::default();
    (Args::parse(raw.args.clone(), &mut faults), faults)
}

/// The layer that an attribute makes, or those that `#[resilient]` stands for.
fn layers_of(raw: &Raw, args: Args, func: Option<&Func>, diag: &mut Diag) -> Vec<Layer> {
    let Some(kind) = policy::kind(&raw.stem.to_string()) else { return Vec::new() };
    let span = raw.stem.span();
    let mut reader = Reader::new(kind.words(), span, args, func, diag);
    let policy = (kind.read)(&mut reader);
    if kind.keys.contains(&"enabled") {
        reader.enabled();
    }
    let (name, settings) = reader.finish();
    if kind.stem != stack::STEM {
        return vec![Layer { kind, part: kind, span, name, settings, policy }];
    }
    let parts = policy::composed(policy);
    let part = |(part, policy)| Layer { kind, part, span, name: name.clone(), settings: Vec::new(), policy };
    parts.into_iter().map(part).collect()
}

/// Whether the compiler itself knows the attribute, so that nothing of ours can hide behind its name.
fn is_built_in(attr: &Attr) -> bool {
    const NAMES: [&str; 26] = [
        "allow",
        "automatically_derived",
        "cfg",
        "cfg_attr",
        "clippy",
        "cold",
        "coverage",
        "deny",
        "deprecated",
        "diagnostic",
        "doc",
        "expect",
        "export_name",
        "forbid",
        "ignore",
        "inline",
        "link_section",
        "must_use",
        "no_mangle",
        "optimize",
        "rustc_test_marker",
        "rustfmt",
        "should_panic",
        "target_feature",
        "track_caller",
        "warn",
    ];
    NAMES.contains(&attr.first())
}

/// An attribute under another name stood below those that have already been applied.
fn too_late(stem: &str, applied: usize, item: Annotated) -> TokenStream {
    let stems = entries_of(item.attrs[applied].arguments());
    let before = listed(stems.iter().map(String::as_str));
    let words = format!(
        "`#[{stem}]` stands under another name, so {before} above it did not wait for it: use the name `{stem}` \
         here, or put it on top"
    );
    let (here, item) = (item.here(), item.into_tokens());
    quote_spanned!(here=> #item ::core::compile_error! { #words })
}

fn entries_of(tokens: TokenStream) -> Vec<String> {
    tokens
        .into_iter()
        .filter(|token| matches!(token, TokenTree::Ident(_)))
        .map(|token| token.to_string())
        .collect()
}
