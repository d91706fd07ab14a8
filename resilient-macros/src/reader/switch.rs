//! Whether a layer does anything.

use quote::{ToTokens as _, quote};
use syn::{Expr, ExprLit, Lit};

use super::{Held, Reader};
use crate::scan;

impl Reader<'_> {
    /// Whether the layer refuses calls, or only tells which ones it would have refused.
    pub(crate) fn mode(&mut self) {
        self.word("mode", &["enforce", "observe"], false);
    }

    /// Whether the layer does anything, which a configuration may change.
    pub(crate) fn enabled(&mut self) {
        let key = "enabled";
        let Some(value) = self.value(key, "false") else { return };
        match &value {
            Expr::Path(path) => {
                let p = self.p.clone();
                let ty = quote!(::core::primitive::bool);
                self.any_constant::<bool>(key, path, &ty, &quote!(#p::Value::Flag));
            }
            Expr::Lit(ExprLit { lit: Lit::Bool(flag), .. }) => {
                let written = scan::source(value.to_token_stream());
                self.record(key, Held::Text('b', flag.value.to_string()), written);
            }
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().parse::<bool>().is_ok() => {
                let text = text.value();
                self.diag.at(&value, format!("`{key}` takes a word without quotes: `{key} = {text}`"));
            }
            _ => {
                let message =
                    format!("`{key}` takes `true`, `false` or the path of a `const`: `{key} = false`");
                self.diag.at(&value, message);
            }
        }
    }
}
