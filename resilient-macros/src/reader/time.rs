//! Durations, with or without a key.

use std::time::Duration;

use proc_macro2::Ident;
use quote::{ToTokens as _, quote};
use resilient_settings::literal::{self, quantile};
use syn::{Expr, ExprLit, Lit, UnOp};

use super::number::Limits;
use super::{Given, Held, Reader};
use crate::args::{Arg, Form};
use crate::scan;

/// A stretch of calls or of time.
pub(crate) enum Stretch {
    Calls(Given<u32>),
    Time,
}

impl Reader<'_> {
    /// A time; `zero` says why none at all makes no sense, if so.
    pub(crate) fn duration(&mut self, key: &'static str, zero: Option<&str>) -> Option<Given<Duration>> {
        let value = self.value(key, "\"250ms\"")?;
        self.time(key, &value, zero)
    }

    /// The time that stands without a key, kept under `key`.
    pub(crate) fn lone_duration(&mut self, key: &'static str, zero: Option<&str>) -> Option<Given<Duration>> {
        let value = if self.args.loose.is_empty() {
            let position = self.args.keyed.iter().position(|arg| self.is_path(arg))?;
            let name = self.args.keyed.remove(position).key;
            syn::parse_quote!(#name)
        } else {
            self.args.loose.remove(0)
        };
        self.time(key, &value, zero)
    }

    /// A lone word that can only be the name of a `const`, or is wrongly the name of an argument.
    fn is_path(&self, arg: &Arg) -> bool {
        let name = arg.key.to_string();
        let argument = self.func.is_some_and(|func| func.names().contains(&name));
        matches!(arg.form, Form::Word)
            && (argument || name.to_uppercase() == name)
            && !self.kind.keys.contains(&name.as_str())
    }

    fn time(&mut self, key: &'static str, value: &Expr, zero: Option<&str>) -> Option<Given<Duration>> {
        let at = value.to_token_stream();
        let label = self.label(key);
        let text = match value {
            Expr::Path(path) => {
                let words =
                    format!("{label} must be {}at most a day", zero.map_or("", |_| "above zero and "));
                let least = u128::from(zero.is_some());
                let most = literal::LONGEST.as_nanos();
                let range = |held: &Ident| quote!(#held.as_nanos() >= #least && #held.as_nanos() <= #most);
                let limits = Limits { ty: quote!(::core::time::Duration), range: &range, words: &words };
                let p = self.p.clone();
                return Some(self.constant(key, path, &limits, &quote!(#p::Value::time)));
            }
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
            _ => {
                self.diag.at(value, no_time(&label, value));
                return None;
            }
        };
        match literal::duration(&text) {
            Err(fault) => self.diag.at(value, fault),
            Ok(time) if time.is_zero() && zero.is_some() => {
                self.diag.at(value, format!("{label} cannot be zero: {}", zero.unwrap_or_default()));
            }
            Ok(time) => {
                let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
                self.record(key, Held::Text('t', nanos.to_string()), scan::source(at.clone()));
                return Some(Given { literal: Some(time), at });
            }
        }
        None
    }

    /// A time, or a quantile of times such as `"p95"`, which is known when the program runs.
    pub(crate) fn duration_or_quantile(&mut self, key: &'static str) -> Option<Given<Duration>> {
        let value = self.value(key, "\"50ms\"")?;
        let at = value.to_token_stream();
        let wrong = match &value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => match quantile(&text.value()) {
                None => return self.time(key, &value, None),
                Some(Ok(share)) => {
                    self.record(key, Held::Text('n', share.to_string()), scan::source(at));
                    return None;
                }
                Some(Err(word)) => word,
            },
            Expr::Lit(ExprLit { lit: Lit::Float(share), .. }) => match share.base10_parse::<f64>() {
                Ok(share) if (0.5..1.0).contains(&share) => {
                    format!("a quantile is a word in quotes: \"p{}\"", (share * 1_000.0).round() / 10.0)
                }
                _ => return self.time(key, &value, None),
            },
            Expr::Path(path)
                if path.path.get_ident().is_some_and(|word| quantile(&word.to_string()).is_some()) =>
            {
                format!("a quantile is a word in quotes: \"{}\"", scan::source(at))
            }
            _ => return self.time(key, &value, None),
        };
        self.diag.at(&value, wrong);
        None
    }

    /// Either a number of calls or a time.
    pub(crate) fn count_or_duration(&mut self, key: &'static str, most: u32, why: &str) -> Option<Stretch> {
        let value = self.value(key, "100")?;
        let fault = match &value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
                let text = text.value();
                if text.trim().parse::<u32>().is_err() {
                    return self.duration(key, Some(why)).map(|_| Stretch::Time);
                }
                format!(
                    "`{key}` needs a unit, or no quotes: \"{0}s\" is a time, {0} counts calls",
                    text.trim()
                )
            }
            Expr::Path(_) | Expr::Lit(ExprLit { lit: Lit::Int(_), .. }) => {
                return self
                    .count_to(key, 1, most, ": it counts calls; for more write a duration")
                    .map(Stretch::Calls);
            }
            _ => format!("`{key}` takes a number of calls or a time: `{key} = 100` or `{key} = \"10s\"`"),
        };
        self.diag.at(&value, fault);
        None
    }
}

/// What is wrong with a value that is neither a text nor a path.
fn no_time(label: &str, value: &Expr) -> String {
    let number = match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => {
            Some((number.to_string(), number.base10_digits()))
        }
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => {
            Some((number.to_string(), number.base10_digits()))
        }
        _ => None,
    };
    match (number, value) {
        (Some((text, _)), _) if literal::duration(&text).is_ok() => {
            format!("a duration stands in quotes: \"{text}\"")
        }
        (Some((_, digits)), _) => literal::no_unit(digits),
        (None, Expr::Unary(negative)) if matches!(negative.op, UnOp::Neg(_)) => literal::NEGATIVE.to_owned(),
        _ => format!("{label} takes a duration such as \"250ms\", or the path of a `const`"),
    }
}
