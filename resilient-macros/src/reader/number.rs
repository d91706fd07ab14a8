//! Counts, shares and factors: a literal checked here, or a `const` checked by the compiler.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, ExprPath, Ident, Lit, UnOp};

use super::{Given, Held, Reader};
use crate::lower::respanned;
use crate::scan;

/// What a `const` must hold.
pub(super) struct Limits<'a> {
    /// Its type, as a path that nothing of the user's can shadow.
    pub(super) ty: TokenStream,
    /// Whether the held value is in range.
    pub(super) range: &'a dyn Fn(&Ident) -> TokenStream,
    /// The same in words.
    pub(super) words: &'a str,
}

impl Reader<'_> {
    /// A whole number of at least `least`; `why` ends the sentence about a smaller one.
    pub(crate) fn count(&mut self, key: &'static str, least: u32, why: &str) -> Option<Given<u32>> {
        let value = self.value(key, &least.max(5).to_string())?;
        self.count_in(key, &value, (least, u32::MAX), why)
    }

    /// The same with a `most`.
    pub(crate) fn count_to(
        &mut self,
        key: &'static str,
        least: u32,
        most: u32,
        why: &str,
    ) -> Option<Given<u32>> {
        let value = self.value(key, &least.to_string())?;
        self.count_in(key, &value, (least, most), why)
    }

    fn count_in(
        &mut self,
        key: &'static str,
        value: &Expr,
        (least, most): (u32, u32),
        why: &str,
    ) -> Option<Given<u32>> {
        let example = least.max(5).to_string();
        let small = match most {
            u32::MAX => format!("`{key}` must be at least {least}{why}"),
            _ => format!("`{key}` must be {least} to {most}{why}"),
        };
        let number = match &value {
            Expr::Path(path) => {
                let ty = quote!(::core::primitive::u32);
                let above = |held: &Ident| (most != u32::MAX).then(|| quote!(&& #held <= #most));
                let range = |held: &Ident| {
                    let above = above(held);
                    quote!(#held >= #least #above)
                };
                let p = self.p.clone();
                let limits = Limits { ty, range: &range, words: &small };
                return Some(self.constant(key, path, &limits, &quote!(#p::Value::count)));
            }
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) if matches!(int.suffix(), "" | "u32" | "usize") => {
                int.base10_parse::<u32>().ok()
            }
            Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => Some(0),
            _ => {
                self.no_count(key, value, &example);
                return None;
            }
        };
        match number {
            None => self.diag.at(value, format!("`{key}` is too large: the most is {most}")),
            Some(number) if number < least || number > most => self.diag.at(value, small),
            Some(number) => {
                self.record(key, Held::Text('c', number.to_string()), scan::source(value.to_token_stream()));
                return Some(Given { literal: Some(number), at: value.to_token_stream() });
            }
        }
        None
    }

    fn no_count(&mut self, key: &str, value: &Expr, example: &str) {
        let message = match value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) if text.value().trim().parse::<u32>().is_ok() => {
                format!("`{key}` takes a number without quotes: `{key} = {}`", text.value().trim())
            }
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => {
                format!("`{key}` takes a whole number: `{key} = {}`", int.base10_digits())
            }
            _ => format!("`{key}` takes a whole number or the path of a `const`: `{key} = {example}`"),
        };
        self.diag.at(value, message);
    }

    /// A share of calls: more than 0, at most 1.
    pub(crate) fn ratio(&mut self, key: &'static str) -> Option<Given<f64>> {
        let value = self.value(key, "0.5")?;
        let words = format!("`{key}` must be above 0 and at most 1");
        if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = &value {
            self.diag.at(&value, share_in_quotes(key, &text.value()));
            return None;
        }
        let range = |held: &Ident| quote!(#held > 0.0 && #held <= 1.0);
        let number = self.number(key, &value, "0.5", (&range, &words))?;
        match number.literal {
            Some(literal) if literal > 1.0 => self.diag.at(&value, share(key, literal)),
            Some(literal) if literal <= 0.0 => self.diag.at(&value, words),
            Some(literal) => {
                self.record_number(key, literal, &value);
                return Some(number);
            }
            None => return Some(number),
        }
        None
    }

    /// A factor of 1 or more; `why` ends the sentence about a smaller one.
    pub(crate) fn factor(&mut self, key: &'static str, why: &str) -> Option<Given<f64>> {
        let value = self.value(key, "2.0")?;
        let words = format!("`{key}` must be at least 1{why}");
        let range = |held: &Ident| quote!(#held >= 1.0 && #held <= ::core::primitive::f64::MAX);
        let number = self.number(key, &value, "2.0", (&range, &words))?;
        match number.literal {
            Some(literal) if literal < 1.0 => {
                self.diag.at(&value, words);
                return None;
            }
            Some(literal) => self.record_number(key, literal, &value),
            None => {}
        }
        Some(number)
    }

    fn record_number(&mut self, key: &str, number: f64, value: &Expr) {
        self.record(key, Held::Text('n', number.to_string()), scan::source(value.to_token_stream()));
    }

    fn number(
        &mut self,
        key: &'static str,
        value: &Expr,
        example: &str,
        (range, words): (&dyn Fn(&Ident) -> TokenStream, &str),
    ) -> Option<Given<f64>> {
        let literal = match value {
            Expr::Path(path) => {
                let ty = quote!(::core::primitive::f64);
                let p = self.p.clone();
                return Some(self.constant(
                    key,
                    path,
                    &Limits { ty, range, words },
                    &quote!(#p::Value::number),
                ));
            }
            Expr::Lit(ExprLit { lit: Lit::Float(float), .. }) => float.base10_parse::<f64>().ok(),
            Expr::Lit(ExprLit { lit: Lit::Int(int), .. }) => int.base10_parse::<f64>().ok(),
            Expr::Unary(negative) if matches!(negative.op, UnOp::Neg(_)) => Some(-1.0),
            _ => None,
        };
        let Some(literal) = literal.filter(|literal| literal.is_finite()) else {
            self.diag.at(value, no_number(key, value, example));
            return None;
        };
        Some(Given { literal: Some(literal), at: value.to_token_stream() })
    }

    /// The path of a `const`, checked by the compiler where it stands; `wrap` makes a setting of it.
    pub(super) fn constant<T>(
        &mut self,
        key: &'static str,
        path: &ExprPath,
        limits: &Limits<'_>,
        wrap: &TokenStream,
    ) -> Given<T> {
        self.keep_constant(key, path, &checked(path, limits), wrap)
    }

    /// The path of a `const` of the type `ty`, any of whose values will do.
    pub(super) fn any_constant<T>(
        &mut self,
        key: &'static str,
        path: &ExprPath,
        ty: &TokenStream,
        wrap: &TokenStream,
    ) -> Given<T> {
        let value = held(path, ty, |_| TokenStream::new());
        self.keep_constant(key, path, &value, wrap)
    }

    fn keep_constant<T>(
        &mut self,
        key: &'static str,
        path: &ExprPath,
        value: &TokenStream,
        wrap: &TokenStream,
    ) -> Given<T> {
        let at = path.to_token_stream();
        if let Some(fault) = self.no_constant(key, path) {
            self.diag.at(path, fault);
        } else {
            self.record(key, Held::Constant(quote!(#wrap(#value))), scan::source(at.clone()));
        }
        Given { literal: None, at }
    }

    /// Why a path cannot be a setting: it differs from call to call, or from type to type.
    fn no_constant(&self, key: &str, path: &ExprPath) -> Option<String> {
        let first = path.path.segments.first().map(|segment| segment.ident.to_string()).unwrap_or_default();
        let (label, text) = (self.label(key), scan::source(path.to_token_stream()));
        let names = self.func.map(crate::func::Func::names).unwrap_or_default();
        if path.path.get_ident().is_some() && names.contains(&first) {
            return Some(format!(
                "{label} is the same for all calls, so it cannot be the argument `{text}`: use a `const`"
            ));
        }
        let generic = self.func.is_some_and(|func| func.has_generic(&first));
        (path.qself.is_some() || first == "Self" || generic).then(|| {
            format!("{label} is the same for all types, so it cannot be `{text}`: use a `const` of a module")
        })
    }
}

fn no_number(key: &str, value: &Expr, example: &str) -> String {
    if let Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) = value
        && text.value().trim().parse::<f64>().is_ok_and(f64::is_finite)
    {
        return format!("`{key}` takes a number without quotes: `{key} = {}`", text.value().trim());
    }
    format!("`{key}` takes a number or the path of a `const`: `{key} = {example}`")
}

/// A `const` that is checked before the program runs.
fn checked(value: &ExprPath, limits: &Limits<'_>) -> TokenStream {
    held(value, &limits.ty, |held| {
        let (range, words) = ((limits.range)(held), limits.words);
        quote_spanned!(held.span()=> ::core::assert!(#range, #words);)
    })
}

/// A `const` of this type, once `check` has seen it.
fn held(value: &ExprPath, ty: &TokenStream, check: impl FnOnce(&Ident) -> TokenStream) -> TokenStream {
    let span = Span::mixed_site().located_at(value.span());
    let held = Ident::new("__held", span);
    let (check, ty) = (check(&held), respanned(ty, span));
    quote_spanned!(span=> const {
        let #held: #ty = #value;
        #check
        #held
    })
}

fn share(key: &str, number: f64) -> String {
    let start = format!("`{key}` is a share from 0 to 1");
    if (2.0..=100.0).contains(&number) {
        return format!("{start}: write {} for {number} %", number / 100.0);
    }
    format!("{start}: write 0.5 for 50 %")
}

fn share_in_quotes(key: &str, text: &str) -> String {
    match text.trim().parse::<f64>() {
        Ok(number) if number > 0.0 && number <= 1.0 => {
            format!("`{key}` takes a number without quotes: `{key} = {}`", text.trim())
        }
        _ => share(key, text.trim().trim_end_matches('%').trim_end().parse().unwrap_or_default()),
    }
}
