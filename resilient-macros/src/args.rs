//! `key = value` lists: read tolerantly, so that one slip does not hide the next.

use std::fmt;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens as _;
use syn::ext::IdentExt as _;
use syn::parse::discouraged::Speculative as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, Ident, LitBool, Token, token};

use crate::diag::{Diag, listed, nearest};
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
    pub(crate) form: Form,
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.key.unraw();
        match &self.form {
            Form::Word => write!(f, "{key}"),
            Form::Value(value) => write!(f, "{key} = {}", scan::source(value.to_token_stream())),
            Form::List(tokens) => write!(f, "{key}({})", scan::source(tokens.clone())),
            Form::Broken => write!(f, "{key} = …"),
        }
    }
}

impl Arg {
    fn is(&self, key: &str) -> bool {
        self.key.unraw() == key
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
        } else if is_keyed(input) {
            if let Ok(key) = input.call(Ident::parse_any) {
                let form = form(&key, input, diag);
                self.keyed.push(Arg { key, form });
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
            match first.iter().find(|earlier| earlier.key.unraw() == arg.key.unraw()) {
                Some(earlier) => {
                    let message = format!("`{}` is given twice: it is `{earlier}` already", arg.key.unraw());
                    diag.at(&arg.key, message);
                }
                None => first.push(arg),
            }
        }
        self.keyed = first;
    }

    pub(crate) fn position(&self, key: &str) -> Option<usize> {
        self.keyed.iter().position(|arg| arg.is(key))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Arg> {
        self.keyed.iter().find(|arg| arg.is(key))
    }
}

/// `key`, `key =`, `key(`, but not the start of an expression such as `a::B` or `f(x).await`.
fn is_keyed(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    if input.peek(LitBool) || fork.call(Ident::parse_any).is_err() {
        return false;
    }
    if fork.peek(token::Paren) {
        let _group = fork.parse::<TokenTree>();
        return fork.is_empty() || fork.peek(Token![,]);
    }
    fork.is_empty()
        || fork.peek(Token![,])
        || fork.peek(Token![;])
        || (fork.peek(Token![=]) && !fork.peek(Token![==]))
        || (fork.peek(Token![:]) && !fork.peek(Token![::]))
        || starts_argument(&fork)
}

/// Where a comma was forgotten the next argument begins.
fn starts_argument(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    fork.call(Ident::parse_any).is_ok() && fork.peek(Token![=])
}

fn form(key: &Ident, input: ParseStream<'_>, diag: &mut Diag) -> Form {
    if input.peek(token::Paren) {
        return match input.parse::<TokenTree>() {
            Ok(TokenTree::Group(group)) => Form::List(group.stream()),
            _ => Form::Broken,
        };
    }
    let name = key.unraw();
    if input.peek(Token![:]) {
        diag.here(input.span(), format!("a key and its value are joined by `=`: `{name} = …`"));
        skip(input);
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
    let fork = input.fork();
    let value = fork.parse::<Expr>().ok()?;
    if !ends_here(&fork) && !fork.peek(Ident::peek_any) {
        return None;
    }
    input.advance_to(&fork);
    Some(ungrouped(value))
}

fn ends_here(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,]) || input.peek(Token![;])
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

/// A word that other libraries use for one of our keys, and what to write here.
pub(crate) struct Foreign {
    pub(crate) names: &'static [&'static str],
    pub(crate) advice: &'static str,
}

/// What is known where a key is not.
pub(crate) struct Unknown<'a> {
    pub(crate) stem: &'a str,
    pub(crate) keys: &'a [&'a str],
    pub(crate) foreign: &'a [Foreign],
    /// What a value without a key should have been.
    pub(crate) lone: Option<&'a str>,
}

impl Unknown<'_> {
    /// Says that the key is unknown, and which one may be meant.
    pub(crate) fn report(&self, arg: &Arg, diag: &mut Diag) {
        let name = arg.key.unraw().to_string();
        let start = format!("unknown key `{name}` in `#[{}]`", self.stem);
        let lower = name.to_lowercase();
        if let Some(known) = self.foreign.iter().find(|foreign| foreign.names.contains(&lower.as_str())) {
            diag.at(&arg.key, format!("{start}; {}", known.advice));
            return;
        }
        let lone = self.lone.filter(|_| matches!(arg.form, Form::Word | Form::List(_)));
        let hint = match (nearest(&lower, self.keys.iter().copied()), lone) {
            (Some(key), _) => format!("; did you mean `{key}`?"),
            (None, Some(lone)) => format!("; as a value, write {lone}."),
            (None, None) => ".".to_owned(),
        };
        diag.at(&arg.key, format!("{start}{hint} Keys: {}", listed(self.keys.iter().copied())));
    }
}
