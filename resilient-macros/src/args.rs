//! `key = value` lists: read tolerantly, so that one slip does not hide the next.

use std::fmt;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens as _;
use resilient_settings::stack;
use resilient_settings::stem::{self, Foreign};
use resilient_settings::words::snake;
use syn::buffer::Cursor;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, ExprLit, Ident, Lit, Token, token};

use crate::diag::{Diag, listed, nearest};
use crate::policy::advice_on_stack;
use crate::scan;

/// What stands behind a key.
pub(crate) enum Form {
    /// `jitter`
    Word,
    /// `max = 3`
    Value(Expr),
    /// `no_clone(a, b)`
    List(TokenStream),
    /// Already reported.
    Broken,
}

pub(crate) struct Arg {
    pub(crate) key: Ident,
    /// The key without `r#`.
    pub(crate) name: String,
    pub(crate) form: Form,
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = &self.name;
        match &self.form {
            Form::Word => write!(f, "{key}"),
            Form::Value(value) => write!(f, "{key} = {}", scan::source(value.to_token_stream())),
            Form::List(tokens) => write!(f, "{key}({})", scan::source(tokens.clone())),
            Form::Broken => write!(f, "{key} = …"),
        }
    }
}

/// The arguments of one attribute, in the order written.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) keyed: Vec<Arg>,
    pub(crate) loose: Vec<Expr>,
}

impl Args {
    /// Reads whatever is there; what cannot be read is reported and passed over.
    pub(crate) fn parse(tokens: TokenStream, diag: &mut Diag) -> Self {
        let mut args = Self::default();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                args.argument(input, diag);
                separate(input, diag);
            }
            Ok(())
        };
        if let Err(fault) = read.parse2(tokens) {
            diag.here(fault.span(), "these arguments cannot be read; write `key = value, key = value`");
        }
        args.drop_repeated(diag);
        args
    }

    fn argument(&mut self, input: ParseStream<'_>, diag: &mut Diag) {
        if input.peek(Token![,]) {
            diag.here(input.span(), "an argument is missing before this comma");
        } else if is_keyed(input.cursor()) {
            if let Ok(key) = input.call(Ident::parse_any) {
                let name = key.unraw().to_string();
                let form = form(&key, &name, input, diag);
                self.keyed.push(Arg { key, name, form });
            }
        } else if let Some(value) = expression(input) {
            self.loose.push(value);
        } else {
            let span = input.span();
            skip(input);
            diag.here(span, "this is no argument; write `key = value`");
        }
    }

    fn drop_repeated(&mut self, diag: &mut Diag) {
        let mut first: Vec<Arg> = Vec::new();
        for arg in self.keyed.drain(..) {
            match first.iter().find(|earlier| earlier.name == arg.name) {
                Some(earlier) => {
                    let message = format!("`{}` is given twice: it is `{earlier}` already", arg.name);
                    diag.at(&arg.key, message);
                }
                None => first.push(arg),
            }
        }
        self.keyed = first;
    }

    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.keyed.iter().position(|arg| arg.name == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Arg> {
        self.keyed.iter().find(|arg| arg.name == key)
    }
}

/// `key`, `key =`, `key(`, but not the start of an expression such as `a::B` or `f(x).await`.
fn is_keyed(at: Cursor<'_>) -> bool {
    let Some((word, after)) = at.ident() else { return false };
    if word == "true" || word == "false" {
        return false;
    }
    if let Some((_, _, after)) = after.group(Delimiter::Parenthesis) {
        return after.eof() || is_punct(after, ',');
    }
    match after.punct() {
        Some((punct, after)) => match punct.as_char() {
            ',' | ';' => true,
            joined @ ('=' | ':') => punct.spacing() == Spacing::Alone || !is_punct(after, joined),
            _ => false,
        },
        // Where a comma was forgotten the next argument begins.
        None => after.eof() || after.ident().is_some_and(|(_, after)| is_punct(after, '=')),
    }
}

fn is_punct(at: Cursor<'_>, punct: char) -> bool {
    at.punct().is_some_and(|(found, _)| found.as_char() == punct)
}

fn form(key: &Ident, name: &str, input: ParseStream<'_>, diag: &mut Diag) -> Form {
    if input.peek(token::Paren) {
        return match input.parse::<TokenTree>() {
            Ok(TokenTree::Group(group)) => Form::List(group.stream()),
            _ => Form::Broken,
        };
    }
    if input.peek(Token![:]) {
        diag.here(input.span(), format!("a key and its value are joined by `=`: `{name} = …`"));
        let _colon = input.parse::<Token![:]>();
        if expression(input).is_none() {
            skip(input);
        }
        return Form::Broken;
    }
    if !input.peek(Token![=]) {
        return Form::Word;
    }
    let _equals = input.parse::<Token![=]>();
    if ends_here(input) {
        diag.at(key, format!("`{name}` has no value; write `{name} = …`"));
        return Form::Broken;
    }
    if let Some(value) = expression(input) {
        return Form::Value(value);
    }
    let span = input.span();
    skip(input);
    diag.here(span, format!("the value of `{name}` cannot be read"));
    Form::Broken
}

/// An expression, if one stands here and an argument can end behind it.
fn expression(input: ParseStream<'_>) -> Option<Expr> {
    if let Some((_, after)) = input.cursor().literal()
        && ends(after)
    {
        // What most values are; the parser of expressions has much else to try.
        let lit = Lit::new(input.parse().ok()?);
        return Some(Expr::Lit(ExprLit { attrs: Vec::new(), lit }));
    }
    let fork = input.fork();
    let value = fork.parse::<Expr>().ok()?;
    if !ends_here(&fork) && !fork.peek(Ident::peek_any) {
        return None;
    }
    input.advance_to(&fork);
    Some(ungrouped(value))
}

fn ends_here(input: ParseStream<'_>) -> bool {
    ends(input.cursor())
}

fn ends(at: Cursor<'_>) -> bool {
    at.eof() || is_punct(at, ',') || is_punct(at, ';')
}

fn separate(input: ParseStream<'_>, diag: &mut Diag) {
    if input.is_empty() || input.parse::<Token![,]>().is_ok() {
        return;
    }
    if let Ok(semicolon) = input.parse::<Token![;]>() {
        diag.at(semicolon, "arguments are separated by commas: write `,`");
        return;
    }
    diag.here(input.span(), "a comma is missing before this argument");
}

/// Passes over everything up to the next comma.
fn skip(input: ParseStream<'_>) {
    while !ends_here(input) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// The expression inside the invisible groups that `macro_rules!` makes.
pub(crate) fn ungrouped(mut value: Expr) -> Expr {
    while let Expr::Group(group) = value {
        value = *group.expr;
    }
    value
}

/// What is known where a key is not.
pub(crate) struct Unknown<'a> {
    pub(crate) stem: &'a str,
    pub(crate) keys: &'a [&'a str],
    pub(crate) foreign: &'a [Foreign],
    /// How to write it if it is a value without its key.
    pub(crate) lone: Option<String>,
}

impl Unknown<'_> {
    /// Says that the key is unknown, and which one may be meant.
    pub(crate) fn report(&self, arg: &Arg, diag: &mut Diag) {
        let name = &arg.name;
        let start = format!("unknown key `{name}` in `#[{}]`", self.stem);
        if let Some(advice) = advice(self.stem, self.foreign, name) {
            diag.at(&arg.key, format!("{start}; {advice}"));
            return;
        }
        let hint = match (nearest(&snake(name), self.keys.iter().copied()), &self.lone) {
            (Some(key), _) => format!("; did you mean `{key}`?"),
            (None, Some(lone)) => format!("; as a value, write {lone}."),
            (None, None) => ".".to_owned(),
        };
        diag.at(&arg.key, format!("{start}{hint} Keys: {}", listed(self.keys.iter().copied())));
    }
}

/// What to write in the attribute of this name instead of a word that is no key of it; its own words come first.
pub(crate) fn advice(stem: &str, foreign: &[Foreign], word: &str) -> Option<String> {
    let own = foreign.iter().find(|foreign| foreign.has(&snake(word))).map(|foreign| foreign.advice);
    let of_kind = || {
        if stem == stack::STEM {
            return advice_on_stack(word);
        }
        let table = stem::table(stem)?;
        table.advice(word).or_else(|| table.advice_on_code(word).map(str::to_owned))
    };
    own.map(str::to_owned).or_else(of_kind)
}
