//! Texts and words, functions, and names of parameters.

use proc_macro2::TokenTree;
use quote::ToTokens as _;
use resilient_settings::stem::{Foreign, READINESS};
use resilient_settings::words::meant;
use syn::visit::Visit;
use syn::{Expr, ExprLit, Ident, Lit, LitStr, PatIdent};

use super::leaving::leaving;
use super::{Held, Reader};
use crate::args::Form;
use crate::diag::quoted;
use crate::func::Func;
use crate::scan;

/// What a name is called elsewhere.
pub(crate) const OTHER_NAMES: Foreign = Foreign { words: "id label", advice: "use `name`" };

impl Reader<'_> {
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
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value else {
            let written = scan::source(value.to_token_stream());
            let meant = meant(&written, words);
            let fix = meant.map_or_else(|| format!("one of {}", quoted(words)), |word| format!("\"{word}\""));
            self.diag.at(&value, format!("`{key}` takes a word in quotes: {fix}"));
            return None;
        };
        let written = text.value();
        if let Some(word) = words.iter().find(|word| **word == written) {
            self.show(key, word, &value.to_token_stream());
            return Some(word);
        }
        let list = quoted(words);
        let end = match meant(&written, words) {
            Some(word) => format!("; did you mean \"{word}\"? All of them: {list}"),
            None => format!("; it is one of {list}"),
        };
        self.diag.at(&value, format!("unknown `{key}` \"{written}\"{end}"));
        None
    }

    fn text(&mut self, key: &'static str, example: &str) -> Option<LitStr> {
        let value = self.value(key, example)?;
        let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value else {
            let word = match &value {
                Expr::Path(path) => path.path.get_ident().map(Ident::to_string),
                _ => None,
            };
            let word = word.filter(|word| word.to_lowercase() == *word);
            let fix = word.map_or_else(|| example.to_owned(), |word| format!("\"{word}\""));
            self.diag.at(&value, format!("`{key}` takes a text in quotes: `{key} = {fix}`"));
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

    /// The policy's own name, for a policy that is nothing without one.
    pub(crate) fn required_name(&mut self, example: &str) {
        self.name(example);
        if !self.meant("name") && !self.has_loose() {
            let stem = self.kind.stem;
            let message =
                format!("`#[{stem}]` needs a name, by which it is found and tuned: `name = {example}`");
            self.fault("", &message);
        }
    }

    /// The policy's name, which stands without a key.
    pub(crate) fn lone_name(&mut self, example: &str) {
        let stem = self.kind.stem;
        let right = format!("`#[{stem}(\"{example}\")]`");
        let word = self
            .args
            .keyed
            .iter()
            .position(|arg| matches!(arg.form, Form::Word) && !self.kind.is_known(&arg.name));
        if !self.args.loose.is_empty() {
            let value = self.args.loose.remove(0);
            match value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if !text.value().trim().is_empty() => {
                    self.name = Some(text);
                }
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                    self.diag.at(text, format!("this name is empty: {right}"));
                }
                value => self.diag.at(value, format!("a name is a text in quotes: {right}")),
            }
        } else if let Some(word) = word {
            let word = self.args.keyed.remove(word).key;
            self.diag.at(&word, format!("a name is a text in quotes: `#[{stem}(\"{word}\")]`"));
        } else if !self.has_foreign() {
            let message =
                format!("`#[{stem}]` needs a name, by which its policies are found and tuned: {right}");
            self.fault("", &message);
        }
    }

    /// The name of another policy.
    pub(crate) fn reference(&mut self, key: &'static str, example: &str) {
        if let Some(text) = self.text(key, example) {
            self.show(key, &text.value(), &text.to_token_stream());
        }
    }

    /// What it means for the program that the policy refuses calls.
    pub(crate) fn readiness(&mut self) {
        self.word("readiness", READINESS, false);
        self.only_with_health("readiness");
    }

    /// Reports a key that nobody would look at.
    pub(crate) fn only_with_health(&mut self, key: &'static str) {
        if self.has(key) && cfg!(not(feature = "health")) {
            self.fault(key, &format!("`{key}` needs the feature `health` of `resilient-runtime`"));
        }
    }

    /// A path or a closure that captures nothing.
    pub(crate) fn function(&mut self, key: &'static str, example: &str) -> Option<Expr> {
        let value = self.value(key, example)?;
        let fault = match &value {
            Expr::Path(_) => None,
            Expr::Closure(closure) if closure.asyncness.is_some() => {
                Some(format!("`{key}` decides at once and cannot wait: write the closure without `async`"))
            }
            Expr::Closure(_) => {
                if let Some(captured) = self.captured(&value) {
                    self.diag.at(&captured, capture_fault(key, &captured));
                    return None;
                }
                None
            }
            _ => Some(format!("`{key}` takes a function's path or a closure: `{key} = {example}`")),
        };
        if let Some(fault) = fault {
            self.diag.at(&value, fault);
            return None;
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

    /// Any expression that stays where it is, evaluated where the layer stands.
    pub(crate) fn expression(&mut self, key: &'static str, example: &str) -> Option<Expr> {
        let value = self.value(key, example)?;
        if let Some((at, fault)) = leaving(key, &value) {
            self.diag.at(at, fault);
            return None;
        }
        self.show_code(key, value.to_token_stream());
        Some(value)
    }

    /// A key that stands alone.
    pub(crate) fn flag(&mut self, key: &'static str) -> bool {
        self.alone(key, Held::Text('x', key.to_owned()))
    }

    /// A key that stands alone, and which the configuration may write `true` or `false`.
    #[cfg(feature = "health")]
    pub(crate) fn switch(&mut self, key: &'static str) -> bool {
        self.alone(key, Held::Text('b', "true".to_owned()))
    }

    fn alone(&mut self, key: &'static str, held: Held) -> bool {
        self.asked.push(key);
        let Some(arg) = self.args.get(key) else { return false };
        let written = arg.key.to_token_stream();
        match &arg.form {
            Form::Word => self.record(key, held, scan::source(written)),
            Form::Broken => {}
            Form::Value(_) | Form::List(_) => {
                self.diag
                    .at(written, format!("`{key}` stands alone: write `{key}`, and other keys beside it"));
            }
        }
        true
    }

    /// The names in `key(a, b)`.
    pub(crate) fn names(&mut self, key: &'static str) -> Vec<Ident> {
        self.asked.push(key);
        let Some(arg) = self.args.get(key) else { return Vec::new() };
        let Form::List(tokens) = &arg.form else {
            let names = match &arg.form {
                Form::Value(value) => scan::source(value.to_token_stream()),
                _ => "a, b".to_owned(),
            };
            if !matches!(arg.form, Form::Broken) {
                self.diag.at(&arg.key, format!("`{key}` takes names in parentheses: `{key}({names})`"));
            }
            return Vec::new();
        };
        let mut names = Vec::new();
        for token in tokens.clone() {
            match token {
                TokenTree::Ident(name) => names.push(name),
                token if scan::is_punct(&token, ',') => {}
                token => self.diag.at(token, format!("`{key}` takes names of parameters: `{key}(a, b)`")),
            }
        }
        names
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
