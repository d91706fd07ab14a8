//! What a run of tokens mentions, and how the user wrote it.

use proc_macro2::{Delimiter, Group, Ident, Spacing, Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;

/// Whether `tokens` name the variable `ident`, also as `"{ident}"` in a text.
pub(crate) fn mentions(tokens: &TokenStream, ident: &Ident) -> bool {
    let mut wanted = [Wanted::new(ident)];
    tokens.clone().into_iter().any(|token| finds_all(&token, &mut wanted))
}

/// A name to look for.
pub(crate) struct Wanted {
    name: String,
    pub(crate) found: bool,
}

impl Wanted {
    pub(crate) fn new(ident: &Ident) -> Self {
        Self { name: ident.unraw().to_string(), found: false }
    }
}

/// Marks what `token` names and says when nothing is left to look for, as a body may be long.
pub(crate) fn finds_all(token: &TokenTree, wanted: &mut [Wanted]) -> bool {
    match token {
        TokenTree::Group(group) => {
            return group.stream().into_iter().any(|token| finds_all(&token, wanted));
        }
        TokenTree::Ident(ident) => {
            let ident = ident.to_string();
            let name = ident.strip_prefix("r#").unwrap_or(&ident);
            mark(wanted, |wanted| wanted == name);
        }
        TokenTree::Literal(literal) => {
            let literal = literal.to_string();
            // Few literals are format strings.
            if !literal.contains('{') && !literal.contains('$') {
                return false;
            }
            mark(wanted, |wanted| captures(&literal, wanted));
        }
        TokenTree::Punct(_) => return false,
    }
    wanted.iter().all(|wanted| wanted.found)
}

fn mark(wanted: &mut [Wanted], is: impl Fn(&str) -> bool) {
    for wanted in wanted {
        wanted.found = wanted.found || is(&wanted.name);
    }
}

/// Whether a format string takes `name` from its surroundings: `{name}`, `{name:?}`, `{:name$}`.
fn captures(literal: &str, name: &str) -> bool {
    let opens = literal.match_indices('{').any(|(at, _)| {
        let rest = literal.get(at + 1..).unwrap_or_default().trim_start();
        rest.strip_prefix(name).is_some_and(|after| after.starts_with(['}', ':', ' ']))
    });
    opens || literal.contains(&format!("{name}$"))
}

/// The first token that uses `name` as a variable: no field, no path, no method.
pub(crate) fn variable(tokens: &TokenStream, name: &str) -> Option<Ident> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    for (at, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == name => {
                let field = at > 0 && is_punct(&tokens[at - 1], '.') && !is_range(&tokens[..at]);
                let path = tokens.get(at + 1).is_some_and(|next| is_punct(next, ':'))
                    && tokens.get(at + 2).is_some_and(|next| is_punct(next, ':'));
                if !field && !path {
                    return Some(ident.clone());
                }
            }
            TokenTree::Group(group) => {
                if let Some(ident) = variable(&group.stream(), name) {
                    return Some(ident);
                }
            }
            TokenTree::Literal(literal) if captures(&literal.to_string(), name) => {
                return Some(Ident::new(name, literal.span()));
            }
            TokenTree::Ident(_) | TokenTree::Literal(_) | TokenTree::Punct(_) => {}
        }
    }
    None
}

fn is_range(before: &[TokenTree]) -> bool {
    before.len() > 1 && is_punct(&before[before.len() - 2], '.')
}

pub(crate) fn is_punct(token: &TokenTree, punct: char) -> bool {
    matches!(token, TokenTree::Punct(found) if found.as_char() == punct)
}

/// The tokens, out of the invisible group that `macro_rules!` puts around its fragments.
pub(crate) fn trees(tokens: TokenStream) -> Vec<TokenTree> {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Group(group)] if group.delimiter() == Delimiter::None => self::trees(group.stream()),
        _ => trees,
    }
}

/// A variable that is given away whole: an argument of a call, the value of a field, a `let` or a `return`.
///
/// Inside macros and nested items nothing can be said, so they are passed over.
pub(crate) fn given_away(tokens: &TokenStream, name: &str) -> Option<Ident> {
    let mut found = None;
    each_given(tokens, name, &mut |ident| {
        found.get_or_insert_with(|| ident.clone());
        TokenTree::from(ident.clone()).into()
    });
    found
}

/// Puts `value` wherever `self` is given away whole.
pub(crate) fn lend_self(body: &TokenStream, value: &TokenStream) -> TokenStream {
    each_given(body, "self", &mut |_| value.clone())
}

fn each_given(
    tokens: &TokenStream,
    name: &str,
    replace: &mut dyn FnMut(&Ident) -> TokenStream,
) -> TokenStream {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut out = TokenStream::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        match token {
            TokenTree::Ident(ident) if starts_item(ident) => {
                let end = tokens[at..].iter().position(ends_item).map_or(tokens.len(), |end| at + end + 1);
                out.extend(tokens[at..end].iter().cloned());
                at = end;
                continue;
            }
            TokenTree::Ident(ident)
                if ident == name && opens_value(before) && ends_value(before, tokens.get(at + 1)) =>
            {
                out.extend(replace(ident));
            }
            TokenTree::Group(group) if !before.is_some_and(|before| is_punct(before, '!')) => {
                let mut inside = Group::new(group.delimiter(), each_given(&group.stream(), name, replace));
                inside.set_span(group.span());
                out.extend([TokenTree::from(inside)]);
            }
            token => out.extend([token.clone()]),
        }
        at += 1;
    }
    out
}

fn starts_item(ident: &Ident) -> bool {
    ["fn", "impl", "trait", "use", "macro_rules"].iter().any(|word| ident == word)
}

fn ends_item(token: &TokenTree) -> bool {
    is_punct(token, ';') || matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

fn opens_value(before: Option<&TokenTree>) -> bool {
    match before {
        None => true,
        Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), ',' | '=' | ':'),
        Some(TokenTree::Ident(ident)) => ident == "return" || ident == "in",
        Some(_) => false,
    }
}

fn ends_value(before: Option<&TokenTree>, next: Option<&TokenTree>) -> bool {
    let iterated = matches!(before, Some(TokenTree::Ident(ident)) if ident == "in");
    next.is_none_or(|next| is_punct(next, ',') || is_punct(next, ';') || (iterated && is_braced(next)))
}

fn is_braced(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
}

/// The place of the `self` in `let __self = self;`, which `async_trait` puts before the body.
pub(crate) fn self_binding(body: &TokenStream) -> Option<(usize, bool)> {
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    let is = |at: usize, word: &str| matches!(tokens.get(at), Some(TokenTree::Ident(ident)) if ident == word);
    let found = (2..tokens.len()).find(|at| {
        is(*at, "self")
            && is(at - 2, "__self")
            && is_punct(&tokens[at - 1], '=')
            && ends_value(None, tokens.get(at + 1))
    })?;
    Some((found, found > 2 && is(found - 3, "mut")))
}

/// Replaces the `self` of `let __self = self;`.
pub(crate) fn replace_self_binding(body: &TokenStream, value: &TokenStream) -> TokenStream {
    let Some((found, _)) = self_binding(body) else { return body.clone() };
    let tokens: Vec<TokenTree> = body.clone().into_iter().collect();
    let (before, after) = tokens.split_at(found);
    let before = before.iter().cloned();
    before.chain(value.clone()).chain(after.iter().skip(1).cloned()).collect()
}

/// The tokens as the user wrote them, with one blank for any.
pub(crate) fn source(tokens: TokenStream) -> String {
    let mut text = String::new();
    let mut glue = true;
    let mut bars = 0_u32;
    let mut last: Option<Span> = None;
    for token in trees(tokens) {
        let (piece, before, after) = piece(&token, &mut bars);
        let apart = last.and_then(|last| are_apart(last, token.span())).unwrap_or(!glue && before);
        if !text.is_empty() && apart {
            text.push(' ');
        }
        text.push_str(&piece);
        glue = !after;
        last = Some(token.span());
    }
    text
}

/// Whether something stands between two tokens, where the compiler says so. An editor may not know, and then blanks
/// are guessed.
fn are_apart(before: Span, after: Span) -> Option<bool> {
    let place = |span: proc_macro::Span| (span.line(), span.column());
    let (before, after) = proc_macro::is_available().then(|| (before.unwrap(), after.unwrap()))?;
    let end = place(before.end());
    (place(before.start()) != end).then(|| place(after.start()) != end)
}

/// A token's text and whether a blank may stand before and after it.
fn piece(token: &TokenTree, bars: &mut u32) -> (String, bool, bool) {
    match token {
        TokenTree::Punct(punct) => match punct.as_char() {
            ',' | ';' => (punct.to_string(), false, true),
            '.' | ':' | '!' | '?' | '&' | '\'' | '<' => (punct.to_string(), punct.as_char() == '&', false),
            '>' => (punct.to_string(), false, false),
            '|' => {
                *bars += 1;
                let closes = bars.is_multiple_of(2);
                (punct.to_string(), !closes, closes)
            }
            _ => (punct.to_string(), true, punct.spacing() == Spacing::Alone),
        },
        TokenTree::Group(group) => {
            let written = group.span().source_text().unwrap_or_else(|| group_text(group));
            (written, group.delimiter() == Delimiter::Brace, true)
        }
        TokenTree::Ident(_) | TokenTree::Literal(_) => (token.to_string(), true, true),
    }
}

fn group_text(group: &Group) -> String {
    let inside = source(group.stream());
    match group.delimiter() {
        Delimiter::Parenthesis => format!("({inside})"),
        Delimiter::Bracket => format!("[{inside}]"),
        Delimiter::Brace => format!("{{ {inside} }}"),
        Delimiter::None => inside,
    }
}

#[cfg(test)]
mod tests {
    use quote::{format_ident, quote};

    use super::*;

    #[test]
    fn names_are_found_in_tokens_macros_and_texts() {
        let name = format_ident!("id");
        for tokens in [
            quote!(f(id)),
            quote!(vec![{ id }]),
            quote!(println!("{id}")),
            quote!(println!("{ id:?}")),
            quote!(format!("{:id$}", 1)),
        ] {
            assert!(mentions(&tokens, &name), "{tokens}");
        }
        for tokens in [quote!(f(idle)), quote!(println!("{idle} id {x}"))] {
            assert!(!mentions(&tokens, &name), "{tokens}");
        }
    }

    #[test]
    fn fields_and_paths_are_no_variables() {
        assert!(variable(&quote!(a.err + err::x), "err").is_none());
        assert!(variable(&quote!(f(&a, err)), "err").is_some());
        assert!(variable(&quote!(0..err), "err").is_some());
    }

    #[test]
    fn a_variable_given_away_is_told_from_a_borrowed_one() {
        for tokens in [
            quote!(f(self)),
            quote!(f(1, self)),
            quote!(let s = self; g()),
            quote!(A { a: self }),
            quote!(for x in self {}),
        ] {
            assert!(given_away(&tokens, "self").is_some(), "{tokens}");
        }
        for tokens in [
            quote!(f(&self)),
            quote!(self.x.f(&mut self)),
            quote!(println!("{}", self)),
            quote!(struct A; impl A { fn f(self) { g(self) } }),
            quote!(
                use std::fmt::{self, Debug};
            ),
            quote!(
                macro_rules! m {
                    (self) => {
                        f(self)
                    };
                }
            ),
            quote!(match self {}),
            quote!(self::f()),
        ] {
            assert!(given_away(&tokens, "self").is_none(), "{tokens}");
        }
        let lent = lend_self(&quote!(let Self { a } = self; f(self.b, self)), &quote!(&mut *self));
        assert_eq!(lent.to_string(), quote!(let Self { a } = &mut *self; f(self.b, &mut *self)).to_string());
    }

    #[test]
    fn expressions_read_as_written() {
        assert_eq!(source(quote!(cached::<u8>(a, &err))), "cached::<u8>(a, &err)");
        assert_eq!(source(quote!(|e| e.is_transient())), "|e| e.is_transient()");
        assert_eq!(source(quote!(PayError::is_busy)), "PayError::is_busy");
    }
}
