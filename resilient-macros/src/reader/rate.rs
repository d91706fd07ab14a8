//! Rates: a number of calls in a time.

use proc_macro2::Ident;
use quote::{ToTokens as _, quote};
use resilient_settings::literal;
use syn::{Expr, ExprLit, Lit};

use super::number::Limits;
use super::{Held, Reader};
use crate::scan;

impl Reader<'_> {
    /// A rate that makes sense; true if one was written, be it in a `const`.
    pub(crate) fn rate(&mut self, key: &'static str) {
        let Some(value) = self.value(key, "\"100/s\"") else { return };
        let text = match &value {
            Expr::Path(path) => {
                let p = self.p.clone();
                let words = format!("`{key}` must lie between one in 366 days and 4294967295 a second");
                let range = |held: &Ident| quote!(#held.fault().is_none());
                let limits = Limits { ty: quote!(#p::Rate), range: &range, words: &words };
                self.constant::<()>(key, path, &limits, &quote!(#p::Value::rate));
                return;
            }
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => text.value(),
            _ => {
                self.diag.at(&value, no_rate(key, &value));
                return;
            }
        };
        match literal::rate(&text) {
            Err(fault) => self.diag.at(&value, fault),
            Ok(rate) => {
                let held = format!("{}/{}", rate.permits(), rate.period().as_nanos());
                self.record(key, Held::Text('r', held), scan::source(value.to_token_stream()));
            }
        }
    }
}

/// What is wrong with a value that is neither a text nor a path.
fn no_rate(key: &str, value: &Expr) -> String {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => literal::no_period(number.base10_digits()),
        Expr::Binary(_) => {
            let text = scan::source(value.to_token_stream()).replace(' ', "");
            match literal::rate(&text) {
                Ok(_) => format!("a rate stands in quotes: \"{text}\""),
                Err(_) => format!("`{key}` takes a rate such as \"100/s\", or the path of a `const`"),
            }
        }
        _ => format!("`{key}` takes a rate such as \"100/s\", or the path of a `const`"),
    }
}
