//! `#[retry]`: runs again after a failure, with backoff.

use std::time::Duration;

use proc_macro2::TokenStream;
use quote::quote_spanned;
use resilient_settings::{Backoff, Jitter, literal, stem};
use syn::{Expr, Ident};

use crate::lower::{Level, Scope, optional, own_span};
use crate::policy::no_clone::no_clone;
use crate::policy::{Kind, Policy, Repeats, Twice};
use crate::reader::{Given, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "retry",
    keys: &[
        "max",
        "backoff",
        "base",
        "factor",
        "max_delay",
        "jitter",
        "within",
        "when",
        "when_ok",
        "on_retry",
        "budget",
        "max_retry_after",
        "nested",
        "no_clone",
        "name",
        "enabled",
        "crate",
    ],
    foreign: &[],
    lone: "`max = 3`",
    twice: Twice::Never,
    read: |reader| Box::new(Retry::read(reader)),
};

const DEFAULT: resilient_settings::Schedule = resilient_settings::Schedule::DEFAULT;

pub(super) struct Retry {
    when: Option<Expr>,
    when_ok: Option<Expr>,
    hook: Option<Expr>,
    no_clone: Vec<Ident>,
    max: Option<u32>,
    least_waits: Option<Duration>,
}

/// The numbers of a schedule; `None` where only the compiler knows.
struct Schedule {
    max: Option<u32>,
    base: Option<Duration>,
    factor: Option<f64>,
    max_delay: Option<Duration>,
    backoff: &'static str,
    jitter: &'static str,
}

impl Retry {
    /// One of which only the configuration knows more.
    pub(super) const fn unset(no_clone: Vec<Ident>) -> Self {
        Self { when: None, when_ok: None, hook: None, no_clone, max: None, least_waits: None }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        let schedule = schedule(reader);
        let least_waits = schedule.least_waits();
        let within = reader.duration("within", Some("no attempt could be made"));
        reader.duration("max_retry_after", None);
        // More attempts than fit are fine: `within` ends them. One that cannot be retried at all is not.
        if let (Some(Given { literal: Some(within), at }), Some(least)) =
            (within, schedule.least_first_wait())
            && least >= within
        {
            let message = format!(
                "the first wait takes at least {}, so no second attempt fits into `within` ({})",
                literal::shown(least),
                literal::shown(within)
            );
            reader.diag.at(at, message);
        }
        reader.reference("budget", "\"default\"");
        reader.word("nested", &["share", "once"], false);
        reader.name("\"quote\"");
        Self {
            when: reader.function("when", "Error::is_transient"),
            when_ok: reader.function("when_ok", "Vec::is_empty"),
            hook: reader.function("on_retry", "|attempt, delay, cause| log(attempt, delay)"),
            no_clone: no_clone(reader),
            max: schedule.max,
            least_waits,
        }
    }
}

fn schedule(reader: &mut Reader<'_>) -> Schedule {
    let max = reader.count("max", 2, ": it counts attempts, the first included");
    let strategies = ["exponential", "fixed", "linear", "fibonacci"];
    let backoff = reader.word("backoff", &strategies, false);
    let base = reader.duration("base", None);
    let factor = reader.factor("factor", ": a wait never shrinks");
    let max_delay = reader.duration("max_delay", None);
    let jitter = reader.word("jitter", &["full", "equal", "decorrelated", "none"], true);
    if jitter == Some("decorrelated") {
        for key in ["backoff", "factor"] {
            if reader.has(key) {
                reader.fault(key, &format!("\"decorrelated\" delays grow by themselves: remove `{key}`"));
            }
        }
    } else if let Some(backoff) = backoff
        && backoff != "exponential"
    {
        let why = format!("`factor` grows only an \"exponential\" backoff, not a \"{backoff}\" one");
        if reader.has("factor") {
            reader.fault("factor", &why);
        }
    }
    let schedule = Schedule {
        max: max.map_or((!reader.has("max")).then_some(stem::retry::DEFAULT_MAX), |max| max.literal),
        base: base.map_or((!reader.has("base")).then_some(DEFAULT.base), |base| base.literal),
        factor: factor.map_or((!reader.has("factor")).then_some(DEFAULT.factor), |factor| factor.literal),
        max_delay: max_delay
            .map_or((!reader.has("max_delay")).then_some(DEFAULT.max_delay), |max_delay| max_delay.literal),
        backoff: backoff.unwrap_or("exponential"),
        jitter: jitter.unwrap_or("full"),
    };
    if let (Some(base), Some(most)) = (schedule.base, schedule.max_delay)
        && base > most
    {
        let default = |key| if reader.has(key) { "" } else { " by default" };
        let message = format!(
            "`base` ({}{}) is longer than `max_delay` ({}{}): raise `max_delay` or lower `base`",
            literal::shown(base),
            default("base"),
            literal::shown(most),
            default("max_delay")
        );
        reader.fault(if reader.has("base") { "base" } else { "max_delay" }, &message);
    }
    schedule
}

impl Schedule {
    /// What the waits add up to when every attempt fails and every draw is the smallest.
    fn least_waits(&self) -> Option<Duration> {
        let factor = if self.backoff == "exponential" { self.factor? } else { 1.0 };
        let schedule = resilient_settings::Schedule {
            backoff: Backoff::from_word(self.backoff)?,
            base: self.base?,
            factor,
            max_delay: self.max_delay?,
            jitter: Jitter::from_word(self.jitter)?,
        };
        Some(schedule.least_total_wait(self.max?))
    }

    /// The same of the first wait alone.
    fn least_first_wait(&self) -> Option<Duration> {
        Self { max: Some(2), ..*self }.least_waits()
    }
}

impl Policy for Retry {
    fn registered(&self) -> &'static str {
        "RetryPolicy"
    }

    fn takes_time(&self) -> bool {
        true
    }

    fn repeats(&self) -> Option<Repeats> {
        let attempts = self.max.map_or_else(String::new, |max| format!("{max} attempts: "));
        let words =
            self.least_waits.map(|least| format!("{attempts}at least {} of waits", literal::shown(least)));
        Some(Repeats {
            least_waits: self.least_waits,
            words: words.unwrap_or_default(),
            borrowed: self.no_clone.clone(),
            overlap: false,
        })
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let span = own_span();
        let (clones, inner) = scope.per_attempt(inner);
        let (keep_self, renew_self) = scope.renewed_self();
        let (attempt, rules) = if self.when.is_none() && self.when_ok.is_none() && self.hook.is_none() {
            (quote_spanned!(span=> attempt), TokenStream::new())
        } else {
            let when = optional(self.when.as_ref());
            let when_ok = optional(self.when_ok.as_ref());
            let on_retry = optional(self.hook.as_ref());
            (quote_spanned!(span=> attempt_with), quote_spanned!(span=> , #when, #when_ok, #on_retry))
        };
        inner.map_value(|inner| {
            quote_spanned! {span=> {
                let mut __retry = #p::retry(#place);
                #keep_self
                loop {
                    #renew_self
                    #clones
                    match #p::#attempt(&mut __retry, #inner, #class #rules).await {
                        #p::After::Done(__out) => break __out,
                        #p::After::Again => {}
                    }
                }
            }}
        })
    }
}
