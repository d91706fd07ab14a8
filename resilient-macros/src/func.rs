//! The annotated function: its outside parsed, its body left as the tokens the user wrote.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{ParseStream, Parser as _};
use syn::visit_mut::VisitMut;
use syn::{
    Attribute, GenericArgument, PathArguments, ReturnType, Signature, Token, Type, TypeParamBound, TypePath,
};

use crate::diag::Diag;
use crate::item::{Annotated, Attr};
use crate::params::{Params, ungrouped};
use crate::scan;

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

/// The return type with each `impl Trait` as `_`.
///
/// The rewrite writes it many times over, so its tokens are made once.
pub(crate) struct Returned {
    pub(crate) ty: Type,
    /// Whether it is the return type as it stands.
    pub(crate) spelt_out: bool,
    tokens: Vec<TokenTree>,
}

impl Returned {
    fn new(output: Option<Type>) -> Self {
        let (ty, spelt_out) = erased(output.unwrap_or_else(|| syn::parse_quote!(())));
        let tokens = ty.to_token_stream().into_iter().collect();
        Self { ty, spelt_out, tokens }
    }

    fn span(&self) -> Option<Span> {
        let (first, last) = (self.tokens.first()?.span(), self.tokens.last()?.span());
        Some(first.join(last).unwrap_or(first))
    }
}

impl ToTokens for Returned {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend(self.tokens.iter().cloned());
    }
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
            ReturnType::Type(_, _) => self.ret.span().unwrap_or_else(Span::call_site),
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

/// What stands between the braces of a body.
struct Statements {
    /// Its `#![inner]` attributes as outer ones.
    attrs: Vec<Attr>,
    trees: Vec<TokenTree>,
    stream: TokenStream,
}

impl Statements {
    fn new(body: &Group) -> Self {
        let stream = body.stream();
        let mut trees: Vec<TokenTree> = stream.clone().into_iter().collect();
        let mut attrs = Vec::new();
        while let [pound, bang, TokenTree::Group(brackets), ..] = trees.as_slice()
            && scan::is_punct(pound, '#')
            && scan::is_punct(bang, '!')
            && brackets.delimiter() == Delimiter::Bracket
        {
            attrs.push(Attr::read(pound.clone(), brackets.clone()));
            trees.drain(..3);
        }
        let stream = if attrs.is_empty() { stream } else { trees.iter().cloned().collect() };
        Self { attrs, trees, stream }
    }

    /// Separates the items at the head from the rest: a statement of ours between them would make them "items
    /// after statements".
    fn split_items(self) -> (TokenStream, TokenStream) {
        let begins = match self.trees.first() {
            Some(TokenTree::Ident(word)) => ITEMS.contains(&word.to_string().as_str()),
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::None,
            _ => false,
        };
        if !begins {
            return (TokenStream::new(), self.stream);
        }
        split_items.parse2(self.stream.clone()).unwrap_or_else(|_| (TokenStream::new(), self.stream))
    }
}

const ITEMS: [&str; 11] =
    ["use", "const", "static", "fn", "struct", "enum", "impl", "trait", "mod", "type", "macro_rules"];

fn split_items(input: ParseStream<'_>) -> syn::Result<(TokenStream, TokenStream)> {
    let mut items = TokenStream::new();
    while ITEMS.iter().any(|word| input.cursor().ident().is_some_and(|(ident, _)| ident == word)) {
        let fork = input.fork();
        let known = match fork.parse() {
            Ok(syn::Item::Macro(found)) => found.ident.is_some(),
            Ok(syn::Item::Verbatim(_)) | Err(_) => false,
            Ok(_) => true,
        };
        if !known {
            break;
        }
        let end = fork.cursor();
        while input.cursor() != end {
            items.extend([input.parse::<TokenTree>()?]);
        }
    }
    Ok((items, input.parse::<TokenStream>()?))
}

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

/// Reports what no alias can turn into a `Result`; the rest is left to the compiler.
fn returns_result(ret: Option<&Type>, sig: &Signature, stem: &str, diag: &mut Diag) {
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
