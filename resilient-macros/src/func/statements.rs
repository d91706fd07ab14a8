//! What a body begins with: inner attributes and items.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::Token;
use syn::parse::{ParseStream, Parser as _};

use crate::item::Attr;
use crate::scan;

/// What stands between the braces of a body.
pub(super) struct Statements {
    /// Its `#![inner]` attributes as outer ones.
    pub(super) attrs: Vec<Attr>,
    pub(super) trees: Vec<TokenTree>,
    stream: TokenStream,
}

impl Statements {
    pub(super) fn new(body: &Group) -> Self {
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
    pub(super) fn split_items(self) -> (TokenStream, TokenStream) {
        let begins = match self.trees.first() {
            Some(TokenTree::Ident(word)) => ITEMS.contains(&word.to_string().as_str()),
            Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::None,
            // Of an attribute or a doc comment.
            Some(TokenTree::Punct(pound)) => pound.as_char() == '#',
            _ => false,
        };
        if !begins {
            return (TokenStream::new(), self.stream);
        }
        split_items.parse2(self.stream.clone()).unwrap_or_else(|_| (TokenStream::new(), self.stream))
    }
}

/// What an item can begin with, though it need not be one.
const ITEMS: [&str; 17] = [
    "use",
    "const",
    "static",
    "fn",
    "struct",
    "enum",
    "impl",
    "trait",
    "mod",
    "type",
    "macro_rules",
    "pub",
    "async",
    "unsafe",
    "extern",
    "union",
    "auto",
];

fn split_items(input: ParseStream<'_>) -> syn::Result<(TokenStream, TokenStream)> {
    let mut items = TokenStream::new();
    let begins = |input: ParseStream<'_>| {
        input.peek(Token![#])
            || input.cursor().ident().is_some_and(|(ident, _)| ITEMS.iter().any(|word| ident == word))
    };
    while begins(input) {
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
