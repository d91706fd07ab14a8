//! Typed access to the arguments of one attribute: what they mean, what is wrong with them.

use proc_macro2::{Span, TokenStream};
use resilient_settings::words::snake;
use syn::{Expr, Ident, LitStr};

use crate::args::{Arg, Args, Form, Unknown, advice};
use crate::diag::{Diag, nearest};
use crate::func::Func;
use crate::paths::Paths;
use crate::policy::Words;
use crate::scan;

mod leaving;
mod lone;
mod number;
mod rate;
mod switch;
mod time;
mod word;

pub(crate) use time::Stretch;
pub(crate) use word::OTHER_NAMES;

/// A number or time, unless a `const` holds it that only the compiler can read.
pub(crate) struct Given<T> {
    pub(crate) literal: Option<T>,
    pub(crate) at: TokenStream,
}

/// What a key was set to, as the record of the function keeps it.
pub(crate) enum Held {
    /// Its kind, a letter, and its text.
    Text(char, String),
    /// An expression that only the compiler can read.
    Constant(TokenStream),
}

/// One key as the record of the function shows it.
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: Held,
    /// As the user wrote it.
    pub(crate) written: String,
    position: usize,
}

/// The arguments of one attribute while they are read.
pub(crate) struct Reader<'a> {
    pub(crate) kind: Words,
    pub(crate) span: Span,
    pub(crate) func: Option<&'a Func>,
    pub(crate) diag: &'a mut Diag,
    p: Ident,
    args: Args,
    asked: Vec<&'static str>,
    settings: Vec<Setting>,
    name: Option<LitStr>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(
        kind: Words,
        span: Span,
        args: Args,
        func: Option<&'a Func>,
        diag: &'a mut Diag,
    ) -> Self {
        Self {
            kind,
            span,
            func,
            diag,
            p: Paths::imported(),
            args,
            asked: vec!["crate"],
            settings: Vec::new(),
            name: None,
        }
    }

    /// Reports what nobody asked for; gives the name and the settings in the order written.
    pub(crate) fn finish(mut self) -> (Option<LitStr>, Vec<Setting>) {
        let Words { stem, keys, foreign, .. } = self.kind;
        for arg in self.args.keyed.iter().filter(|arg| !self.asked.contains(&arg.name.as_str())) {
            if let Some(fault) = self.argument_for_key(arg) {
                self.diag.at(&arg.key, fault);
                continue;
            }
            let lone = lone::as_value(&self.kind, arg);
            Unknown { stem, keys, foreign, lone }.report(arg, self.diag);
        }
        for value in &self.args.loose {
            let right = lone::with_its_key(&self.kind, value);
            self.diag.at(value, format!("`#[{stem}]` cannot tell what this value is for; {right}"));
        }
        self.settings.sort_by_key(|setting| setting.position);
        (self.name, self.settings)
    }

    /// What is wrong with an argument of the function that stands there alone, as if it were a key.
    fn argument_for_key(&self, arg: &Arg) -> Option<String> {
        let Words { stem, keys, .. } = self.kind;
        let alone = matches!(arg.form, Form::Word) && keys.contains(&"key") && !self.has("key");
        let is_argument = alone && self.func?.names().contains(&arg.name);
        is_argument
            .then(|| format!("`{0}` is an argument, and no key of `#[{stem}]`: write `key = {0}`", arg.key))
    }

    /// What messages call the setting: a time without a key is the attribute's own.
    fn label(&self, key: &str) -> String {
        if self.has(key) { format!("`{key}`") } else { format!("`#[{}]`", self.kind.stem) }
    }

    /// Whether some key is not one of this attribute's.
    pub(crate) fn has_foreign(&self) -> bool {
        self.args.keyed.iter().any(|arg| !self.kind.keys.contains(&arg.name.as_str()))
    }

    /// Whether something stands there whose key was left out.
    pub(crate) fn has_loose(&self) -> bool {
        !self.args.loose.is_empty()
            || self
                .args
                .keyed
                .iter()
                .any(|arg| matches!(arg.form, Form::Word) && !self.kind.keys.contains(&arg.name.as_str()))
    }

    /// Whether `key` was written, be it with a slip or under a name of another library, which is reported as that.
    pub(crate) fn meant(&self, key: &str) -> bool {
        let Words { stem, keys, foreign, .. } = self.kind;
        let means = |word: &str| match advice(stem, foreign, word) {
            Some(advice) => advice.contains(&format!("`{key}`")),
            None => nearest(&snake(word), keys.iter().copied()) == Some(key),
        };
        self.args.keyed.iter().any(|arg| arg.name == key || means(&arg.name))
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

    /// Reports the first of `keys` that cannot stand beside `key`.
    pub(crate) fn excludes(&mut self, key: &str, keys: &[&str], why: &str) {
        if let Some(other) = keys.iter().find(|other| self.has(key) && self.has(other)) {
            self.fault(other, &format!("`{other}` and `{key}` exclude each other: {why}"));
        }
    }

    /// Reports `key` when nothing of what it works on was written, not even under another name.
    pub(crate) fn needs(&mut self, key: &str, one_of: &[&str], why: &str) {
        if self.has(key) && !one_of.iter().any(|other| self.has(other)) && !self.has_foreign() {
            self.fault(key, &format!("`{key}` needs {why}"));
        }
    }

    fn record(&mut self, key: &str, value: Held, written: String) {
        let position = self.args.position(key).unwrap_or_default();
        self.settings.push(Setting { key: key.to_owned(), value, written, position });
    }

    fn show(&mut self, key: &str, word: &str, written: &TokenStream) {
        self.record(key, Held::Text('w', word.to_owned()), scan::source(written.clone()));
    }

    /// Keeps the source of an expression, which is shown and never configured.
    fn show_code(&mut self, key: &str, code: TokenStream) {
        let written = scan::source(code);
        self.record(key, Held::Text('x', written.clone()), written);
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
            Form::List(tokens) => {
                let written = scan::source(tokens.clone());
                let value = if written.is_empty() { example } else { &written };
                self.diag.at(&arg.key, format!("`{key}` takes no parentheses: write `{key} = {value}`"));
                None
            }
            Form::Broken => None,
        }
    }
}
