//! An item told apart from its attributes, both left as the tokens they are.
//!
//! Every attribute of a stack passes the item on, so nothing is parsed before the last one rewrites it.

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::ToTokens;

use crate::scan;

/// An outer attribute.
#[derive(Clone)]
pub(crate) struct Attr {
    pound: TokenTree,
    brackets: Group,
    /// The first and the last word of its path.
    words: (String, String),
    arguments: TokenStream,
}

impl Attr {
    /// `#[content]`, which goes by `name`.
    pub(crate) fn new(name: &str, content: TokenStream) -> Self {
        Self {
            pound: Punct::new('#', Spacing::Alone).into(),
            brackets: Group::new(Delimiter::Bracket, content),
            words: (String::new(), name.to_owned()),
            arguments: TokenStream::new(),
        }
    }

    pub(crate) fn read(pound: TokenTree, brackets: Group) -> Self {
        let (mut words, mut arguments) = Default::default();
        told_apart(brackets.stream(), &mut words, &mut arguments);
        Self { pound, brackets, words, arguments }
    }

    /// The last word of the path, as an attribute goes by its name under whatever path.
    pub(crate) fn name(&self) -> &str {
        &self.words.1
    }

    /// The first word of the path, which for a tool's attribute is the tool.
    pub(crate) fn first(&self) -> &str {
        &self.words.0
    }

    /// What stands in its parentheses.
    pub(crate) fn arguments(&self) -> TokenStream {
        self.arguments.clone()
    }
}

impl ToTokens for Attr {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.extend([self.pound.clone(), self.brackets.clone().into()]);
    }
}

fn told_apart(content: TokenStream, words: &mut (String, String), arguments: &mut TokenStream) {
    for token in content {
        match token {
            TokenTree::Ident(word) => {
                words.1 = word.to_string();
                if words.0.is_empty() {
                    words.0.clone_from(&words.1);
                }
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
                told_apart(group.stream(), words, arguments);
            }
            TokenTree::Group(group) => *arguments = group.stream(),
            token if scan::is_punct(&token, ':') => {}
            _ => return,
        }
    }
}

fn is_attribute(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [pound, TokenTree::Group(group)]
        if scan::is_punct(pound, '#') && group.delimiter() == Delimiter::Bracket)
}

/// An item with its attributes told apart and nothing else.
#[derive(Default)]
pub(crate) struct Annotated {
    pub(crate) attrs: Vec<Attr>,
    pub(crate) rest: Vec<TokenTree>,
}

impl Annotated {
    pub(crate) fn parse(item: TokenStream) -> Self {
        let mut annotated = Self::default();
        annotated.read(item);
        annotated
    }

    /// Follows the item into the invisible group that may stand behind its first attributes.
    fn read(&mut self, item: TokenStream) {
        let mut tokens = scan::trees(item);
        let attrs = tokens.chunks_exact(2).take_while(|pair| is_attribute(pair)).count();
        self.rest = tokens.split_off(2 * attrs);
        let mut tokens = tokens.into_iter();
        while let (Some(pound), Some(TokenTree::Group(brackets))) = (tokens.next(), tokens.next()) {
            self.attrs.push(Attr::read(pound, brackets));
        }
        if let [TokenTree::Group(group)] = self.rest.as_slice()
            && group.delimiter() == Delimiter::None
        {
            self.read(group.stream());
        }
    }

    /// The place of the attribute that runs, as the user's own code, so that no note about macros is added.
    pub(crate) fn here(&self) -> Span {
        let first = self.rest.first();
        first.map_or_else(Span::call_site, |token| Span::call_site().resolved_at(token.span()))
    }

    /// The item again.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let mut tokens = TokenStream::new();
        for attr in self.attrs {
            tokens.extend([attr.pound, attr.brackets.into()]);
        }
        tokens.extend(self.rest);
        tokens
    }
}
