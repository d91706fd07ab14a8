//! Typed access to the arguments of one layer: what they mean, what is wrong with them.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, LitStr, PatIdent, UnOp};

use crate::args::{Args, Form, unknown};
use crate::diag::{Diag, nearest, quoted};
use crate::func::Func;
use crate::literal;
use crate::paths::Paths;
use crate::policy::Kind;
use crate::scan;

/// A number or time, unless a `const` holds it that only the compiler can read.
pub(crate) struct Given<T> {
    pub(crate) literal: Option<T>,
    pub(crate) at: TokenStream,
}

/// One key as the record of the function shows it.
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: TokenStream,
    /// As the user wrote it.
    pub(crate) written: String,
    position: usize,
}

/// The arguments of one layer while its policy reads them.
pub(crate) struct Reader<'a> {
    pub(crate) kind: &'static Kind,
    pub(crate) span: Span,
    pub(crate) func: Option<&'a Func>,
    pub(crate) diag: &'a mut Diag,
    p: TokenStream,
    args: Args,
    asked: Vec<&'static str>,
    settings: Vec<Setting>,
    name: Option<LitStr>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        kind: &'static Kind,
        span: Span,
        args: Args,
        around: (&Paths, Option<&'a Func>),
        diag: &'a mut Diag,
    ) -> Self {
        let (paths, func) = around;
        let p = paths.private();
        Self { kind, span, func, diag, p, args, asked: vec!["crate"], settings: Vec::new(), name: None }
    }

    /// Reports what nobody asked for; gives the name and the settings in the order written.
    pub(crate) fn finish(mut self) -> (Option<LitStr>, Vec<Setting>) {
        for arg in &self.args.keyed {
            if !self.asked.iter().any(|key| arg.key.unraw() == key) {
                unknown(self.kind.stem, &arg.key, self.kind.keys, self.kind.foreign, self.diag);
            }
        }
        for value in &self.args.loose {
            let (stem, lone) = (self.kind.stem, self.kind.lone);
            self.diag.at(value, format!("`#[{stem}]` cannot tell what this value is for; write {lone}"));
        }
        self.settings.sort_by_key(|setting| setting.position);
        (self.name, self.settings)
    }

    fn stem(&self) -> &'static str {
        self.kind.stem
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.args.get(key).is_some()
    }

    /// The token of a key that was written.
    pub(crate) fn key(&self, key: &str) -> Option<Ident> {
        self.args.get(key).map(|arg| arg.key.clone())
    }

    /// A fault on the token of `key`, or on the attribute when it was not written.
    pub(crate) fn fault(&mut self, key: &str, message: &str) {
        match self.key(key) {
            Some(key) => self.diag.at(key, message),
            None => self.diag.here(self.span, message),
        }
    }

    /// Reports each of `keys` that cannot stand beside `key`.
    pub(crate) fn excludes(&mut self, key: &str, keys: &[&str], why: &str) {
        for other in keys {
            if self.has(key) && self.has(other) {
                self.fault(other, &format!("`{other}` and `{key}` exclude each other: {why}"));
            }
        }
    }

    /// Reports `key` when nothing of what it works on was written.
    pub(crate) fn needs(&mut self, key: &str, one_of: &[&str], why: &str) {
        if self.has(key) && !one_of.iter().any(|other| self.has(other)) {
            self.fault(key, &format!("`{key}` needs {why}"));
        }
    }

    fn record(&mut self, key: &str, value: TokenStream, written: String) {
        let position = self.args.position(key).unwrap_or_default();
        self.settings.push(Setting { key: key.to_owned(), value, written, position });
    }

    fn show(&mut self, key: &str, word: &str, written: &TokenStream) {
        let p = &self.p;
        let value = quote!(#p::Value::Word(#word));
        self.record(key, value, scan::source(written.clone()));
    }

    /// Keeps the source of an expression, which is shown and never configured.
    fn show_code(&mut self, key: &str, code: TokenStream) {
        let p = &self.p;
        let written = scan::source(code);
        let value = quote!(#p::Value::Code(#written));
        self.record(key, value, written);
    }

    /// The expression behind `key =`.
    fn value(&mut self, key: &'static str, example: &str) -> Option<Expr> {
        self.asked.push(key);
        let arg = self.args.get(key)?;
        match &arg.form {
            Form::Value(value) => Some(value.clone()),
            Form::Word => {
                self.diag.at(&arg.key, format!("`{key}` needs a value: `{key} = {example}`"));
                None
            }
            Form::List(_) => {
                self.diag.at(&arg.key, format!("`{key}` takes no list: write `{key} = {example}`"));
                None
            }
            Form::Broken => None,
        }
    }

    fn constant(&mut self, key: &str, path: &ExprPath) -> bool {
        let first = path.path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let generic = self.func.is_some_and(|func| func.has_generic(&first));
        if path.qself.is_none() && first != "Self" && !generic {
            return true;
        }
        let text = scan::source(path.to_token_stream());
        self.diag.at(
            path,
            format!(
                "`{key}` is one setting for all types, so it cannot be `{text}`: use a `const` of a module"
            ),
        );
        false
    }

    /// A whole number of at least `least`; `why` ends the sentence about a smaller one.
    pub(crate) fn count(&mut self, key: &'static str, least: u32, why: &str) -> Option<Given<u32>> {
        let value = self.value(key, &least.max(5).to_string())?;
        let small = format!("`{key}` must be at least {least}{why}");
        let number = match &value {
            Expr::Path(path) => {
                if self.constant(key, path) {
                    let p = &self.p;
                    let checked = checked(
                        &value,
                        &quote!(::core::primitive::u32),
                        |held| quote!(#held >= #least),
                        &small,
                    );
                    self.record(
                        key,
                        quote!(#p::Value::count(#checked)),
                        scan::source(value.to_token_stream()),
                    );
                }
                return Some(Given { literal: None, at: value.to_token_stream() });
            }
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if matches!(int.suffix(), "" | "u32" | "usize") => {
                int.base10_parse::<u32>().ok()
            }
            Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => Some(0),
            _ => {
                let example = least.max(5);
                self.diag.at(&value, format!("`{key}` takes a whole number: `{key} = {example}`"));
                return None;
            }
        };
        match number {
            None => self.diag.at(&value, format!("`{key}` is too large: the most is {}", u32::MAX)),
            Some(number) if number < least => self.diag.at(&value, small),
            Some(number) => {
                let p = &self.p;
                self.record(key, quote!(#p::Value::count(#number)), scan::source(value.to_token_stream()));
                return Some(Given { literal: Some(number), at: value.to_token_stream() });
            }
        }
        None
    }

    /// A share of calls: more than 0, at most 1.
    pub(crate) fn ratio(&mut self, key: &'static str) -> Option<Given<f64>> {
        let value = self.value(key, "0.5")?;
        let range = format!("`{key}` must be above 0 and at most 1");
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value {
            let number = text.value().trim_end_matches('%').trim().parse::<f64>().ok();
            self.diag.at(&value, share(key, number));
            return None;
        }
        let number =
            self.number_of(key, &value, "0.5", (|held| quote!(#held > 0.0 && #held <= 1.0), &range))?;
        match number.literal {
            Some(literal) if literal > 1.0 => self.diag.at(&value, share(key, Some(literal))),
            Some(literal) if literal <= 0.0 => self.diag.at(&value, range),
            Some(literal) => {
                self.record_number(key, literal, &value);
                return Some(number);
            }
            None => return Some(number),
        }
        None
    }

    /// A growth factor: 1 or more.
    pub(crate) fn factor(&mut self, key: &'static str) -> Option<Given<f64>> {
        let value = self.value(key, "2.0")?;
        let range = format!("`{key}` must be at least 1: a wait never shrinks");
        let number = self.number_of(
            key,
            &value,
            "2.0",
            (|held| quote!(#held >= 1.0 && #held <= ::core::primitive::f64::MAX), &range),
        )?;
        match number.literal {
            Some(literal) if literal < 1.0 => {
                self.diag.at(&value, range);
                return None;
            }
            Some(literal) => self.record_number(key, literal, &value),
            None => {}
        }
        Some(number)
    }

    fn record_number(&mut self, key: &str, number: f64, value: &Expr) {
        let p = &self.p;
        self.record(key, quote!(#p::Value::number(#number)), scan::source(value.to_token_stream()));
    }

    fn number_of(
        &mut self,
        key: &'static str,
        value: &Expr,
        example: &str,
        (range, words): (fn(&Ident) -> TokenStream, &str),
    ) -> Option<Given<f64>> {
        let at = value.to_token_stream();
        let literal = match value {
            Expr::Path(path) => {
                if self.constant(key, path) {
                    let p = &self.p;
                    let checked = checked(value, &quote!(::core::primitive::f64), range, words);
                    self.record(key, quote!(#p::Value::number(#checked)), scan::source(at.clone()));
                }
                return Some(Given { literal: None, at });
            }
            Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse::<f64>().ok(),
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse::<f64>().ok(),
            Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => Some(-1.0),
            _ => None,
        };
        let Some(literal) = literal.filter(|literal| literal.is_finite()) else {
            self.diag.at(value, format!("`{key}` takes a number: `{key} = {example}`"));
            return None;
        };
        Some(Given { literal: Some(literal), at })
    }

    /// A time; `zero` says why none at all makes no sense, if so.
    pub(crate) fn duration(&mut self, key: &'static str, zero: Option<&str>) -> Option<Given<Duration>> {
        let value = self.value(key, "\"250ms\"")?;
        self.time(key, &value, zero)
    }

    /// The time that stands without a key, kept under `key`.
    pub(crate) fn lone_duration(&mut self, key: &'static str, zero: Option<&str>) -> Option<Given<Duration>> {
        let value = if self.args.loose.is_empty() {
            let position = self.args.keyed.iter().position(|arg| self.is_constant(arg))?;
            let name = self.args.keyed.remove(position).key;
            syn::parse_quote!(#name)
        } else {
            self.args.loose.remove(0)
        };
        self.time(key, &value, zero)
    }

    /// A lone upper-case word, which can only be the name of a `const`.
    fn is_constant(&self, arg: &crate::args::Arg) -> bool {
        let name = arg.key.to_string();
        matches!(arg.form, Form::Word)
            && name.to_uppercase() == name
            && !self.kind.keys.contains(&name.as_str())
    }

    /// Whether some key is not one of this attribute's.
    pub(crate) fn has_foreign(&self) -> bool {
        self.args.keyed.iter().any(|arg| !self.kind.keys.iter().any(|key| arg.key.unraw() == key))
    }

    pub(crate) fn has_loose(&self) -> bool {
        !self.args.loose.is_empty()
    }

    fn time(&mut self, key: &'static str, value: &Expr, zero: Option<&str>) -> Option<Given<Duration>> {
        let at = value.to_token_stream();
        let label = if self.has(key) { format!("`{key}`") } else { format!("`#[{}]`", self.stem()) };
        let none = zero.map(|why| format!("{label} cannot be zero: {why}"));
        let text = match value {
            Expr::Path(path) => {
                if self.constant(key, path) {
                    let words =
                        format!("{label} must be {}at most a day", zero.map_or("", |_| "above zero and "));
                    let least = u128::from(zero.is_some());
                    let most = literal::LONGEST.as_nanos();
                    let range =
                        |held: &Ident| quote!(#held.as_nanos() >= #least && #held.as_nanos() <= #most);
                    let checked = checked(value, &quote!(::core::time::Duration), range, &words);
                    let p = &self.p;
                    self.record(key, quote!(#p::Value::time(#checked)), scan::source(at.clone()));
                }
                return Some(Given { literal: None, at });
            }
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
            Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
                self.diag.at(value, literal::no_unit(number.base10_digits()));
                return None;
            }
            Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => {
                self.diag.at(value, literal::no_unit(number.base10_digits()));
                return None;
            }
            _ => {
                self.diag.at(
                    value,
                    format!("{label} takes a duration such as \"250ms\" or the path of a `const`"),
                );
                return None;
            }
        };
        match (literal::duration(&text), none) {
            (Err(fault), _) => self.diag.at(value, fault),
            (Ok(time), Some(none)) if time.is_zero() => self.diag.at(value, none),
            (Ok(time), _) => {
                let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                let p = &self.p;
                self.record(key, quote!(#p::Value::nanos(#nanos)), scan::source(at.clone()));
                return Some(Given { literal: Some(time), at });
            }
        }
        None
    }

    /// Either a number of calls or a time.
    pub(crate) fn count_or_duration(&mut self, key: &'static str, why: &str) -> Option<Stretch> {
        let value = self.value(key, "100")?;
        if matches!(&value, Expr::Lit(ExprLit { lit: Lit::Str(_), .. })) {
            return self.duration(key, Some(why)).map(|_| Stretch::Time);
        }
        self.count(key, 1, "").map(Stretch::Calls)
    }

    /// One of `words`; the bare key means the first of them.
    pub(crate) fn word(
        &mut self,
        key: &'static str,
        words: &[&'static str],
        bare: bool,
    ) -> Option<&'static str> {
        if bare
            && let Some(arg) = self.args.get(key)
            && matches!(arg.form, Form::Word)
        {
            self.asked.push(key);
            let written = arg.key.to_token_stream();
            let first = words.first()?;
            self.show(key, first, &written);
            return Some(first);
        }
        let value = self.value(key, &quoted(words.get(..1)?))?;
        let list = quoted(words);
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value else {
            self.diag.at(&value, format!("`{key}` takes one of {list}"));
            return None;
        };
        let written = text.value();
        if let Some(word) = words.iter().find(|word| **word == written) {
            self.show(key, word, &value.to_token_stream());
            return Some(word);
        }
        let meant = nearest(&written.to_lowercase(), words.iter().copied());
        let meant = meant.map(|word| format!("; did you mean \"{word}\"?")).unwrap_or_default();
        self.diag.at(&value, format!("unknown `{key}` \"{written}\"{meant} One of {list}"));
        None
    }

    fn text(&mut self, key: &'static str, example: &str) -> Option<LitStr> {
        let value = self.value(key, example)?;
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value else {
            self.diag.at(&value, format!("`{key}` takes a text: `{key} = {example}`"));
            return None;
        };
        if text.value().trim().is_empty() {
            self.diag.at(&text, format!("`{key}` is empty: `{key} = {example}`"));
            return None;
        }
        Some(text)
    }

    /// The policy's own name.
    pub(crate) fn name(&mut self, example: &str) {
        self.name = self.text("name", example);
    }

    /// The name of another policy.
    pub(crate) fn reference(&mut self, key: &'static str, example: &str) {
        if let Some(text) = self.text(key, example) {
            self.show(key, &text.value(), &text.to_token_stream());
        }
    }

    /// A path or a closure that captures nothing.
    pub(crate) fn function(&mut self, key: &'static str, example: &str) -> Option<Expr> {
        let value = self.value(key, example)?;
        match &value {
            Expr::Path(_) => {}
            Expr::Closure(_) => {
                if let Some(captured) = self.captured(&value) {
                    self.diag.at(&captured, capture_fault(key, &captured));
                    return None;
                }
            }
            _ => {
                self.diag
                    .at(&value, format!("`{key}` takes a function's path or a closure: `{key} = {example}`"));
                return None;
            }
        }
        self.show_code(key, value.to_token_stream());
        Some(value)
    }

    fn captured(&self, closure: &Expr) -> Option<Ident> {
        let mut bound = Bound::default();
        bound.visit_expr(closure);
        let tokens = closure.to_token_stream();
        let names = self.func.map(Func::names).unwrap_or_default();
        names
            .into_iter()
            .filter(|name| !bound.0.contains(name))
            .find_map(|name| scan::variable(&tokens, &name))
    }

    /// Any expression, evaluated where the layer stands.
    pub(crate) fn expression(&mut self, key: &'static str, example: &str) -> Option<Expr> {
        let value = self.value(key, example)?;
        self.show_code(key, value.to_token_stream());
        Some(value)
    }

    /// The names in `key(a, b)`.
    pub(crate) fn names(&mut self, key: &'static str) -> Vec<Ident> {
        self.asked.push(key);
        let Some(arg) = self.args.get(key) else { return Vec::new() };
        let Form::List(tokens) = &arg.form else {
            if !matches!(arg.form, Form::Broken) {
                self.diag.at(&arg.key, format!("`{key}` takes names in parentheses: `{key}(a, b)`"));
            }
            return Vec::new();
        };
        let mut names = Vec::new();
        for token in tokens.clone() {
            match token {
                proc_macro2::TokenTree::Ident(name) => names.push(name),
                token if scan::is_punct(&token, ',') => {}
                token => self.diag.at(token, format!("`{key}` takes names of parameters: `{key}(a, b)`")),
            }
        }
        names
    }
}

/// A stretch of calls or of time.
pub(crate) enum Stretch {
    Calls(Given<u32>),
    Time,
}

/// A `const` that is checked before the program runs.
fn checked(
    value: &Expr,
    ty: &TokenStream,
    range: impl Fn(&Ident) -> TokenStream,
    words: &str,
) -> TokenStream {
    let span = Span::mixed_site().located_at(value.span());
    let held = Ident::new("__held", span);
    let range = range(&held);
    quote_spanned!(span=> const {
        let #held: #ty = #value;
        ::core::assert!(#range, #words);
        #held
    })
}

fn share(key: &str, number: Option<f64>) -> String {
    match number {
        Some(percent) if percent > 1.0 && percent <= 100.0 => {
            format!("`{key}` is a share from 0 to 1: write {} for {percent} %", percent / 100.0)
        }
        _ => format!("`{key}` is a share from 0 to 1: write 0.5 for 50 %"),
    }
}

fn capture_fault(key: &str, captured: &Ident) -> String {
    format!(
        "the closure of `{key}` captures `{captured}`, but it is kept as a plain function that sees only its \
         own parameters; use a `const`, or let the error carry what it needs"
    )
}

/// The names that patterns inside an expression bind.
#[derive(Default)]
struct Bound(Vec<String>);

impl<'ast> Visit<'ast> for Bound {
    fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
        self.0.push(pat.ident.to_string());
        syn::visit::visit_pat_ident(self, pat);
    }
}
