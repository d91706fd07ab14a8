//! `#[circuit_breaker(name = "…")]`: stops calling what keeps failing.

use std::time::Duration;

use quote::{quote, quote_spanned};
use resilient_settings::literal;
use resilient_settings::stem::circuit_breaker as slot;
use syn::Expr;
use syn::spanned::Spanned as _;

use crate::lower::{Carries, Level, Scope, optional, own_span};
use crate::paths::Paths;
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{Given, OTHER_NAMES, Reader, Stretch};

pub(crate) static KIND: Kind = Kind {
    stem: "circuit_breaker",
    keys: &[
        "name",
        "failure_threshold",
        "failure_rate",
        "window",
        "min_calls",
        "slow_call",
        "slow_rate",
        "reset_timeout",
        "reset_factor",
        "max_reset_timeout",
        "half_open_calls",
        "success_threshold",
        "half_open_timeout",
        "ramp",
        "failure_when",
        "ignore_when",
        "abandoned",
        "key",
        "max_keys",
        "mode",
        "enabled",
        "health",
        "readiness",
        "crate",
    ],
    foreign: &[OTHER_NAMES],
    lone: "`name = \"payments\"`",
    twice: Twice::UnderOtherNames,
    read: |reader| Box::new(CircuitBreaker::read(reader)),
};

pub(super) struct CircuitBreaker {
    key: Option<Expr>,
    ignore_when: Option<Expr>,
    failure_when: Option<Expr>,
}

impl CircuitBreaker {
    /// One of which only the configuration knows more.
    pub(super) const fn unset() -> Self {
        Self { key: None, ignore_when: None, failure_when: None }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        reader.required_name("\"payments\"");
        opening(reader);
        reopening(reader);
        let why = ": it counts the probes at once, and without one the breaker never closes";
        reader.count_to("half_open_calls", 1, slot::MOST_PROBES, why);
        reader.count("success_threshold", 1, "");
        reader.duration("half_open_timeout", Some("no probe could answer in time"));
        reader.duration("ramp", Some("leave it out to let everything through at once"));
        reader.word("abandoned", &["ignore", "failure"], false);
        reader.count("max_keys", 1, "");
        reader.needs("max_keys", &["key"], "`key`: without it there is one breaker");
        reader.mode();
        reader.reference("health", "\"database\"");
        reader.only_with_health("health");
        reader.readiness();
        Self {
            key: reader.expression("key", "tenant.as_str()"),
            ignore_when: reader.function("ignore_when", "Error::is_not_found"),
            failure_when: reader.function("failure_when", "|result| result.is_err()"),
        }
    }
}

/// What opens it: failures in a row, or a share of failures or slow calls.
fn opening(reader: &mut Reader<'_>) {
    reader.count("failure_threshold", 1, "");
    reader.ratio("failure_rate");
    let window = reader.count_or_duration("window", slot::MOST_CALLS, "nothing would be counted");
    let min_calls = reader.count("min_calls", 1, "");
    reader.duration("slow_call", Some("every call would be slow"));
    reader.ratio("slow_rate");
    let why = "one counts failures in a row, the other a share of the calls in a window";
    // A share of slow calls needs a window, whatever failures are counted by.
    let slow = reader.has("slow_call");
    let rivals = if slow { &["failure_rate"][..] } else { &["failure_rate", "window", "min_calls"] };
    reader.excludes("failure_threshold", rivals, why);
    let share = ["failure_rate", "slow_call", "slow_rate"];
    reader.needs(
        "window",
        &share_or(&share, "failure_threshold"),
        "`failure_rate` or `slow_call` with `slow_rate`",
    );
    reader.needs(
        "min_calls",
        &share_or(&share, "failure_threshold"),
        "`failure_rate` or `slow_call` with `slow_rate`",
    );
    reader.needs("slow_call", &["slow_rate"], "`slow_rate`, the share of slow calls that opens it");
    reader.needs("slow_rate", &["slow_call"], "`slow_call`, the time from which a call is slow");
    let holds = match &window {
        Some(Stretch::Calls(calls)) => calls.literal,
        None if reader.has("failure_rate") && !reader.has("window") => Some(slot::WINDOW_CALLS),
        Some(Stretch::Time) | None => None,
    };
    if let (Some(holds), Some(Given { literal: Some(min), at })) = (holds, min_calls)
        && min > holds
    {
        reader.diag.at(at, format!("`min_calls` is above `window` ({holds}), which never holds so many"));
    }
}

/// A key that already stands accused of another mistake is not accused twice.
fn share_or<'a>(share: &[&'a str], accused: &'a str) -> Vec<&'a str> {
    share.iter().copied().chain([accused]).collect()
}

/// How long it stays open.
fn reopening(reader: &mut Reader<'_>) {
    let reset = reader.duration("reset_timeout", Some("it would never be open"));
    let factor = reader.factor("reset_factor", ": a wait never shrinks");
    let most = reader.duration("max_reset_timeout", Some("it would never be open"));
    reader.needs(
        "max_reset_timeout",
        &["reset_factor"],
        "`reset_factor`: without it the open time does not grow",
    );
    let reset = reset.map_or_else(|| default_unless(reader.has("reset_timeout"), 30), |reset| reset.literal);
    let longest = most
        .as_ref()
        .map_or_else(|| default_unless(reader.has("max_reset_timeout"), 300), |most| most.literal);
    let grows = factor.is_some_and(|factor| factor.literal.is_none_or(|factor| factor > 1.0));
    if let (Some(reset), Some(longest)) = (reset, longest)
        && longest < reset
        && grows
    {
        let (longest, reset) = (literal::shown(longest), literal::shown(reset));
        let (key, default) =
            if most.is_some() { ("max_reset_timeout", "") } else { ("reset_timeout", " by default") };
        let message =
            format!("`max_reset_timeout` ({longest}{default}) is shorter than `reset_timeout` ({reset})");
        reader.fault(key, &message);
    }
}

fn default_unless(written: bool, seconds: u64) -> Option<Duration> {
    (!written).then(|| Duration::from_secs(seconds))
}

impl Policy for CircuitBreaker {
    fn registered(&self) -> &'static str {
        "CircuitBreaker"
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let handle = self.key.as_ref().map_or_else(
            || quote!(#p::breaker(#place)),
            |key| {
                let at = own_span().located_at(key.span());
                let here = Paths::imported_at(at);
                let key = quote_spanned!(at=> (&#here::KeyOf(&(#key))).key());
                quote!({
                    use #p::{ViaShort as _, ViaStr as _};
                    #p::breaker_for(#place, #key)
                })
            },
        );
        let mut level = scope.future(inner);
        if let Some(key) = &self.key {
            level.mention(&scope.mentioned(&quote!(#key)));
        }
        if self.ignore_when.is_none() && self.failure_when.is_none() {
            return level
                .map_future(Carries::Reply, |inner| quote!(#p::circuit_breaker(#handle, #inner, #class)));
        }
        let ignore = optional(self.ignore_when.as_ref());
        let failure = optional(self.failure_when.as_ref());
        level.map_future(
            Carries::Reply,
            |inner| quote!(#p::circuit_breaker_when(#handle, #inner, #class, #ignore, #failure)),
        )
    }
}
