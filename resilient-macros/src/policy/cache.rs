//! `#[cache(ttl = "…")]`: answers again what was answered before.

use quote::quote_spanned;

use crate::args::Foreign;
use crate::key::Key;
use crate::lower::{Level, Scope, awaited, own_span};
use crate::policy::{Hides, Kind, Policy, Twice};
use crate::reader::{OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "cache",
    keys: &[
        "ttl",
        "stale_if_error",
        "stale_while_revalidate",
        "max_entries",
        "key",
        "name",
        "enabled",
        "crate",
    ],
    foreign: &[
        Foreign {
            names: &[
                "time",
                "timeout",
                "expire",
                "expires",
                "expiry",
                "expiration",
                "expire_after",
                "expire_after_write",
                "time_to_live",
                "lifespan",
                "max_age",
                "refresh_after_write",
            ],
            advice: "use `ttl`, the time for which a value is fresh",
        },
        Foreign {
            names: &[
                "size",
                "capacity",
                "max_size",
                "max_capacity",
                "maximum_size",
                "cap",
                "limit",
                "max",
                "entries",
            ],
            advice: "use `max_entries`",
        },
        Foreign {
            names: &["convert", "by", "keys", "key_by", "key_fn", "cache_key"],
            advice: "use `key`, an expression with the arguments in scope: `key = (tenant, id)`",
        },
        Foreign {
            names: &["result_fallback", "stale", "grace", "max_stale", "stale_on_error", "serve_stale"],
            advice: "use `stale_if_error`, the time beyond `ttl` for which a value stands in for a failure",
        },
        Foreign {
            names: &["swr", "refresh", "revalidate", "refresh_ahead", "stale_while_refresh", "background"],
            advice: "use `stale_while_revalidate`, the time beyond `ttl` in which one caller renews a value for the \
                     others",
        },
        Foreign {
            names: &["tti", "time_to_idle", "idle", "expire_after_access", "time_refresh"],
            advice: "a value's age counts from when it was known, however often it is used: use `ttl`",
        },
        Foreign {
            names: &["sync_writes", "single_flight", "singleflight", "coalesce", "dedupe"],
            advice: "put `#[coalesce]` below",
        },
        Foreign {
            names: &["result", "option", "cache_errors", "cache_err", "negative"],
            advice: "a value is kept and an error never is",
        },
        OTHER_NAMES,
    ],
    lone: "`ttl = \"30s\"`",
    twice: Twice::Never,
    read: |reader| Box::new(Cache::read(reader)),
};

struct Cache {
    key: Key,
    stands_in: bool,
}

impl Cache {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.name("\"quotes\"");
        reader.duration("ttl", Some("no value would ever be fresh"));
        let elsewhere = reader.has_foreign() || reader.has_loose();
        if !reader.has("ttl") && !elsewhere {
            reader.fault("", "`#[cache]` needs `ttl = \"30s\"`, the time for which a value is fresh");
        }
        reader.duration("stale_if_error", Some("leave it out to let failures through"));
        reader.duration("stale_while_revalidate", Some("leave it out to let nobody have a stale value"));
        reader.count("max_entries", 1, "");
        Self { stands_in: reader.has("stale_if_error"), key: Key::read(reader) }
    }
}

impl Policy for Cache {
    fn hides_failures(&self) -> Option<Hides> {
        self.stands_in
            .then_some(Hides { how: "answers failures with a stale value", or: "leave `stale_if_error` out" })
    }

    fn wants_failures(&self) -> bool {
        self.stands_in
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, span, looked) = (scope.p(), own_span(), self.key.asked("cache", scope));
        let (class, below) = (scope.class(), awaited(&inner));
        let copies = scope.copies();
        let mut level = inner.map_value(|_| {
            // What is found is gone before the layers below begin, so that the future does not keep it.
            quote_spanned!(span=> '__cached: {
                let __copies = #copies;
                let __load = match #looked {
                    #p::Looked::Found(__value) => break '__cached #p::found(__value, #class, __copies),
                    #p::Looked::Missing(__load) => __load,
                };
                let __out = #below;
                #p::settle(__load, __out, #class, __copies)
            })
        });
        level.mention(&self.key.uses(scope));
        level
    }
}
