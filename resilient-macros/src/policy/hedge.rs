//! `#[hedge]`: starts a second attempt when the first is slow or fails.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote_spanned;
use syn::{Expr, Ident};

use crate::func::Func;
use crate::lower::{Level, Scope, optional, own_span};
use crate::params::Passing;
use crate::policy::no_clone::no_clone;
use crate::policy::{Kind, Limit, Policy, Repeats, Twice};
use crate::reader::{Given, OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "hedge",
    keys: &["after", "max", "when", "when_ok", "budget", "no_clone", "name", "enabled", "crate"],
    foreign: &[OTHER_NAMES],
    lone: "`after = \"50ms\"`",
    twice: Twice::Never,
    read: |reader| Box::new(Hedge::read(reader)),
};

const DEFAULT_MAX: u32 = 2;
const MOST: u32 = 16;

struct Hedge {
    after: Option<Given<Duration>>,
    max: Option<u32>,
    when: Option<Expr>,
    when_ok: Option<Expr>,
    no_clone: Vec<Ident>,
}

impl Hedge {
    fn read(reader: &mut Reader<'_>) -> Self {
        let after = reader.duration_or_quantile("after");
        let max = reader.count_to("max", 2, MOST, ": it counts attempts, the first included");
        reader.reference("budget", "\"default\"");
        reader.name("\"search\"");
        let hedge = Self {
            after,
            max: max.map_or((!reader.has("max")).then_some(DEFAULT_MAX), |max| max.literal),
            when: reader.function("when", "Error::is_transient"),
            when_ok: reader.function("when_ok", "Vec::is_empty"),
            no_clone: no_clone(reader),
        };
        if let Some(func) = reader.func {
            hedge.shares(func, reader);
        }
        hedge
    }

    /// What attempts that run side by side cannot share.
    fn shares(&self, func: &Func, reader: &mut Reader<'_>) {
        let unique = |passing| matches!(passing, Passing::RefMut | Passing::PinMut);
        for binding in func.params.bindings.iter().filter(|binding| unique(binding.passing)) {
            let message = format!(
                "`#[hedge]` runs attempts side by side, which cannot share the `&mut` borrow `{0}`: take `{0}` by \
                 `&` (with an atomic or a lock inside, if it changes), or by value",
                binding.ident
            );
            reader.diag.at(&binding.ident, message);
        }
        let Some(receiver) = &func.params.receiver else { return };
        if unique(receiver.passing) {
            reader.diag.at(
                receiver.token,
                "`#[hedge]` runs attempts side by side, which cannot share a `&mut self`: take `&self`, with an \
                 atomic or a lock around what changes",
            );
        } else if !self.no_clone.iter().any(|name| name == "self")
            && let Some(given) = func.uses_up_self()
        {
            reader.diag.here(
                given,
                "`#[hedge]` runs attempts side by side, and this one uses up `self`, which the others need: \
                 take `&self`, or clone what is needed of it",
            );
        }
    }
}

impl Policy for Hedge {
    fn registered(&self) -> &'static str {
        "Hedge"
    }

    fn takes_time(&self) -> bool {
        true
    }

    fn delay(&self) -> Option<Limit> {
        let after = self.after.as_ref()?;
        Some(Limit { time: after.literal?, at: after.at.clone() })
    }

    fn repeats(&self) -> Option<Repeats> {
        let attempts = self.max.map_or_else(String::new, |max| format!("{max} attempts"));
        Some(Repeats { least_waits: None, words: attempts, borrowed: self.no_clone.clone(), overlap: true })
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let span = own_span();
        let carries = inner.carries();
        let (hedge, rules) = if self.when.is_none() && self.when_ok.is_none() {
            (quote_spanned!(span=> hedge), TokenStream::new())
        } else {
            let (when, when_ok) = (optional(self.when.as_ref()), optional(self.when_ok.as_ref()));
            (quote_spanned!(span=> hedge_with), quote_spanned!(span=> , #when, #when_ok))
        };
        let make = scope.maker(inner);
        make.map_future(carries, |make| quote_spanned!(span=> #p::#hedge(#place, #make, #class #rules)))
    }
}
