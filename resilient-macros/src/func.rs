//! The annotated function: its outside parsed, its body left as the tokens the user wrote.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, GenericArgument, PathArguments, ReturnType, Signature, Token, Type, TypeParamBound};

use self::output::{Returned, returns_result};
use self::statements::Statements;
use crate::diag::Diag;
use crate::item::{Annotated, Attr};
use crate::params::{Params, ungrouped};
use crate::scan;

mod output;
mod statements;

/// What stands around the future that is rewritten.
pub(crate) enum Around {
    /// `async fn … { body }`
    AsyncFn,
    /// `fn … { before(async move { body }) }`, where `before` is empty or `Box::pin`.
    Returned { before: TokenStream, paren: Option<Span>, capture: Option<Token![move]> },
}

/// A function whose body is one future.
pub(crate) struct Func {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) vis: syn::Visibility,
    pub(crate) sig: Signature,
    pub(crate) around: Around,
    /// The user's `async`, whose span the attempt takes over.
    pub(crate) asyncness: Span,
    /// The braces of the block that is guarded.
    pub(crate) braces: Span,
    /// The braces of the function.
    pub(crate) outer: Span,
    /// The items that the body begins with.
    pub(crate) items: TokenStream,
    pub(crate) body: TokenStream,
    pub(crate) ret: Returned,
    pub(crate) params: Params,
}

impl Func {
    /// Reads the function; a shape that cannot be rewritten is reported.
    pub(crate) fn parse(item: &Annotated, stem: &str, diag: &mut Diag) -> Option<Self> {
        let (head, body) = parted(&item.rest);
        let read = |input: ParseStream<'_>| {
            let vis = input.parse()?;
            let sig: Signature = input.parse()?;
            Ok((vis, sig, input.parse::<TokenStream>()?))
        };
        let Ok((vis, sig, after)) = read.parse2(head) else {
            no_function(&item.rest, stem, diag);
            return None;
        };
        let Some(body) = body.filter(|_| after.is_empty()) else {
            diag.at(
                &sig.ident,
                format!(
                    "`{}` has no body for `#[{stem}]` to guard: put the attribute on an implementation",
                    sig.ident
                ),
            );
            return None;
        };
        if !is_plain(&sig, stem, diag) {
            return None;
        }
        let outer = body.span();
        let (around, asyncness, body, output) = future(&sig, &item.attrs, body, stem, diag)?;
        let statements = Statements::new(&body);
        returns_result(output.as_ref(), &sig, stem, diag);
        let params = Params::new(&sig, &statements.trees);
        let attrs = item.attrs.iter().chain(&statements.attrs).cloned().collect();
        let (items, statements) = statements.split_items();
        let (braces, ret) = (body.span(), Returned::new(output));
        Some(Self { attrs, vis, sig, around, asyncness, braces, outer, items, body: statements, ret, params })
    }

    /// The lines of its documentation.
    pub(crate) fn docs(&self) -> Vec<Attribute> {
        let docs = self.attrs.iter().filter(|attr| attr.name() == "doc");
        let docs: TokenStream = docs.map(ToTokens::to_token_stream).collect();
        Attribute::parse_outer.parse2(docs).unwrap_or_default()
    }

    /// The variables in scope of the function, `self` included.
    pub(crate) fn names(&self) -> Vec<String> {
        let receiver = self.params.receiver.as_ref().map(|_| "self".to_owned());
        self.params.bindings.iter().map(|binding| binding.ident.to_string()).chain(receiver).collect()
    }

    /// Whether `name` is a type or const parameter of the function.
    pub(crate) fn has_generic(&self, name: &str) -> bool {
        self.sig.generics.type_params().any(|param| param.ident == name)
            || self.sig.generics.const_params().any(|param| param.ident == name)
    }

    /// Where errors about the return type belong.
    pub(crate) fn ret_span(&self) -> Span {
        match &self.sig.output {
            ReturnType::Type(_, _) => self.ret.span,
            ReturnType::Default => self.sig.ident.span(),
        }
    }
}

/// Says what the item is instead of a function.
fn no_function(item: &[TokenTree], stem: &str, diag: &mut Diag) {
    let kinds =
        ["impl", "struct", "enum", "trait", "mod", "union", "static", "use", "type", "macro_rules", "const"];
    for token in item {
        let TokenTree::Ident(word) = token else { continue };
        if word == "fn" {
            diag.at(word, format!("`#[{stem}]` cannot read the signature of this function"));
            return;
        }
        if let Some(kind) = kinds.iter().find(|kind| word == *kind) {
            let hint = match *kind {
                "impl" => "put it on each method it shall guard",
                "trait" => "put it on the methods of an implementation, or on a default method",
                _ => "put it on an `async fn`",
            };
            diag.at(word, format!("`#[{stem}]` guards a function, not this `{kind}`: {hint}"));
            return;
        }
    }
    diag.at(
        item.iter().cloned().collect::<TokenStream>(),
        format!("`#[{stem}]` guards an `async fn` and nothing else"),
    );
}

/// What stands before the body, and the body, also out of the invisible group of a `$body:block`.
fn parted(item: &[TokenTree]) -> (TokenStream, Option<Group>) {
    let (head, body) = match item.split_last() {
        Some((TokenTree::Group(last), head)) => (head, braced(last)),
        _ => (item, None),
    };
    let head = if body.is_some() { head } else { item };
    (head.iter().cloned().collect(), body)
}

fn braced(group: &Group) -> Option<Group> {
    match group.delimiter() {
        Delimiter::Brace => Some(group.clone()),
        Delimiter::None => match scan::trees(group.stream()).as_slice() {
            [TokenTree::Group(group)] => braced(group),
            _ => None,
        },
        _ => None,
    }
}

/// Reports at most one fault: a function of the wrong kind can have the others for that very reason, and what no
/// `async fn` can be is the compiler's to say.
fn is_plain(sig: &Signature, stem: &str, diag: &mut Diag) -> bool {
    let name = &sig.ident;
    let wrong = sig.constness.is_some() || sig.variadic.is_some();
    if wrong && sig.asyncness.is_some() {
        return false;
    }
    if let Some(variadic) = &sig.variadic {
        diag.at(variadic.dots, format!("`#[{stem}]` cannot pass on variadic arguments"));
    } else if let Some(abi) = &sig.abi {
        diag.at(
            abi,
            format!("`#[{stem}]` cannot guard an `extern` function: guard a Rust function that it calls"),
        );
    } else if let Some(constness) = &sig.constness {
        diag.at(constness, format!("`#[{stem}]` waits, and a `const fn` cannot: write `async fn {name}`"));
    } else {
        return true;
    }
    false
}

type Future = (Around, Span, Group, Option<Type>);

/// Finds the one future that the function is.
fn future(sig: &Signature, attrs: &[Attr], body: Group, stem: &str, diag: &mut Diag) -> Option<Future> {
    let ret = match &sig.output {
        ReturnType::Type(_, ty) => Some((**ty).clone()),
        ReturnType::Default => None,
    };
    if let Some(asyncness) = &sig.asyncness {
        return Some((Around::AsyncFn, asyncness.span, body, ret));
    }
    let Some(output) = ret.as_ref().and_then(future_output) else {
        not_async(sig, attrs, &body, stem, diag);
        return None;
    };
    if let Some(found) = returned(body.stream(), output) {
        return Some(found);
    }
    diag.at(
        &sig.ident,
        format!(
            "`#[{stem}]` guards one future: the body of `{0}` must be exactly `async move {{ … }}` or \
             `Box::pin(async move {{ … }})`; move everything else inside, or write `async fn {0}`",
            sig.ident
        ),
    );
    None
}

fn not_async(sig: &Signature, attrs: &[Attr], body: &Group, stem: &str, diag: &mut Diag) {
    let test = attrs.iter().any(|attr| attr.name() == "test");
    let driven = scan::mentions(&body.stream(), &Ident::new("block_on", Span::call_site()));
    if test || driven {
        let which = if test { "test" } else { "main" };
        diag.at(
            sig.fn_token,
            format!("`async` is gone before `#[{stem}]` runs: put `#[{stem}]` above the {which} attribute"),
        );
        return;
    }
    diag.at(sig.fn_token, format!("`#[{stem}]` needs an async function: write `async fn {}`", sig.ident));
}

/// `R` out of `impl Future<Output = R>`, `Pin<Box<dyn Future<Output = R>>>` or `BoxFuture<'_, R>`.
fn future_output(ty: &Type) -> Option<Type> {
    match ungrouped(ty) {
        Type::ImplTrait(found) => found.bounds.iter().find_map(bound_output),
        Type::TraitObject(found) => found.bounds.iter().find_map(bound_output),
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
            let inner = arguments.args.iter().find_map(|argument| match argument {
                GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })?;
            match last.ident.to_string().as_str() {
                "Pin" | "Box" => future_output(inner),
                "BoxFuture" | "LocalBoxFuture" => Some(inner.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

fn bound_output(bound: &TypeParamBound) -> Option<Type> {
    let TypeParamBound::Trait(bound) = bound else { return None };
    let last = bound.path.segments.last().filter(|last| last.ident == "Future")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(output) if output.ident == "Output" => Some(output.ty.clone()),
        _ => None,
    })
}

/// Takes a body apart that is exactly `async move { … }` or `Box::pin(async move { … })`.
fn returned(body: TokenStream, output: Type) -> Option<Future> {
    let mut tokens = scan::trees(body);
    let mut before = TokenStream::new();
    let mut paren = None;
    if let Some(TokenTree::Group(group)) = tokens.last()
        && group.delimiter() == Delimiter::Parenthesis
        && is_box_pin(&tokens)
    {
        paren = Some(group.span());
        let inside = scan::trees(group.stream());
        before = tokens.iter().take(tokens.len() - 1).cloned().collect();
        tokens = inside;
        if tokens.last().is_some_and(|last| scan::is_punct(last, ',')) {
            tokens.pop();
        }
    }
    let (asyncness, capture, body) = match tokens.as_slice() {
        [TokenTree::Ident(asyncness), TokenTree::Group(body)] => (asyncness, None, body),
        [TokenTree::Ident(asyncness), TokenTree::Ident(capture), TokenTree::Group(body)]
            if capture == "move" =>
        {
            (asyncness, Some(Token![move](capture.span())), body)
        }
        _ => return None,
    };
    if asyncness != "async" || body.delimiter() != Delimiter::Brace {
        return None;
    }
    Some((Around::Returned { before, paren, capture }, asyncness.span(), body.clone(), Some(output)))
}

/// `Box::pin(…)` behind any path.
fn is_box_pin(tokens: &[TokenTree]) -> bool {
    let path = &tokens[..tokens.len() - 1];
    let words: Vec<String> =
        path.iter().filter(|token| !scan::is_punct(token, ':')).map(ToString::to_string).collect();
    words.ends_with(&["Box".to_owned(), "pin".to_owned()])
        && path.iter().all(|token| matches!(token, TokenTree::Ident(_)) || scan::is_punct(token, ':'))
}

/// Puts a rewritten future back where the user's stood.
pub(crate) fn rebuilt(func: &Func, sig: &Signature, content: &TokenStream) -> TokenStream {
    let (attrs, vis) = (&func.attrs, &func.vis);
    let body = match &func.around {
        Around::AsyncFn => content.clone(),
        Around::Returned { before, paren, capture } => {
            let asyncness = Token![async](func.asyncness);
            let future = quote!(#asyncness #capture { #content });
            match paren {
                None => future,
                Some(span) => {
                    let mut group = Group::new(Delimiter::Parenthesis, future);
                    group.set_span(*span);
                    quote!(#before #group)
                }
            }
        }
    };
    let mut block = Group::new(Delimiter::Brace, body);
    // Lints on the function itself are silent where its braces are a macro's.
    block.set_span(func.outer);
    quote!(#(#attrs)* #vis #sig #block)
}
