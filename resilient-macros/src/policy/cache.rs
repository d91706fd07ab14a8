//! `#[cache(ttl = "…")]`: answers again what was answered before.

use quote::quote_spanned;

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
    foreign: &[OTHER_NAMES],
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
    fn registered(&self) -> &'static str {
        "Cache"
    }

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
