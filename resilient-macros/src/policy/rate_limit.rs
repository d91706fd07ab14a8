//! `#[rate_limit(…)]`: caps how many start in a time.

use quote::{quote, quote_spanned};
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::lower::{Carries, Level, Scope, own_span};
use crate::paths::Paths;
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "rate_limit",
    keys: &["name", "rate", "burst", "max_wait", "key", "max_keys", "mode", "enabled", "crate"],
    foreign: &[OTHER_NAMES],
    lone: "`name = \"partner\"` and `rate = \"100/s\"`",
    twice: Twice::UnderOtherNames,
    read: |reader| Box::new(RateLimit::read(reader)),
};

pub(super) struct RateLimit {
    key: Option<Expr>,
    /// Whether a call may wait before the layers below begin.
    waits: bool,
}

impl RateLimit {
    /// One of which only the configuration knows more.
    pub(super) const fn unset() -> Self {
        Self { key: None, waits: true }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        reader.required_name("\"partner\"");
        reader.rate("rate");
        let elsewhere = reader.has_foreign() || reader.has_loose();
        if !reader.has("rate") && !elsewhere {
            reader.fault("", "`#[rate_limit]` needs `rate = \"100/s\"`, the calls that start in a time");
        }
        reader.count("burst", 1, ": it counts the calls that may start at once");
        let wait = reader.duration("max_wait", None);
        let waits = wait.is_some_and(|wait| wait.literal.is_none_or(|wait| !wait.is_zero()));
        reader.count("max_keys", 1, "");
        reader.needs("max_keys", &["key"], "`key`: without it there is one allowance");
        reader.mode();
        Self { key: reader.expression("key", "tenant.as_str()"), waits }
    }
}

impl Policy for RateLimit {
    fn registered(&self) -> &'static str {
        "RateLimit"
    }

    fn takes_time(&self) -> bool {
        self.waits
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let limit = self.key.as_ref().map_or_else(
            || quote!(#p::limiter(#place)),
            |key| {
                let at = own_span().located_at(key.span());
                let here = Paths::imported_at(at);
                let key = quote_spanned!(at=> (&#here::KeyOf(&(#key))).key());
                quote!({
                    use #p::{ViaShort as _, ViaStr as _};
                    #p::limiter_for(#place, #key)
                })
            },
        );
        let mut level = scope.future(inner);
        if let Some(key) = &self.key {
            level.mention(&scope.mentioned(&quote!(#key)));
        }
        level.map_future(Carries::Reply, |inner| quote!(#p::rate_limit(#limit, #inner, #class)))
    }
}
