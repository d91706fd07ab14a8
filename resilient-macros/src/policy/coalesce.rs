//! `#[coalesce]`: lets one call run for all that ask the same at once.

use quote::quote_spanned;

use crate::args::Foreign;
use crate::key::Key;
use crate::lower::{Carries, Level, Scope, own_span};
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "coalesce",
    keys: &["key", "name", "enabled", "crate"],
    foreign: &[
        Foreign {
            names: &["by", "on", "convert", "group", "group_by", "keys", "per"],
            advice: "use `key`, an expression with the arguments in scope: `key = (tenant, id)`",
        },
        Foreign {
            names: &["sync_writes", "single_flight", "singleflight", "dedupe", "share"],
            advice: "`#[coalesce]` alone does that",
        },
        Foreign {
            names: &["ttl", "time", "max_age", "expire", "expires", "max_entries", "size"],
            advice: "an answer goes to those who wait for it and is not kept: put `#[cache(ttl = \"30s\")]` above",
        },
        Foreign {
            names: &["timeout", "max_wait", "wait"],
            advice: "put `#[timeout(\"2s\")]` above to bound each wait, or below to bound the call that runs",
        },
        OTHER_NAMES,
    ],
    lone: "`key = (tenant, id)`",
    twice: Twice::Never,
    read: |reader| Box::new(Coalesce::read(reader)),
};

struct Coalesce {
    key: Key,
}

impl Coalesce {
    fn read(reader: &mut Reader<'_>) -> Self {
        reader.name("\"quote\"");
        Self { key: Key::read(reader) }
    }
}

impl Policy for Coalesce {
    fn joins_calls(&self) -> bool {
        true
    }

    fn takes_time(&self) -> bool {
        true
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let seat = self.key.asked("seat", scope);
        let (p, class) = (scope.p(), scope.class());
        let (copies, error_copies) = (scope.copies(), scope.error_copies());
        let mut level = scope.future(inner);
        level.mention(&self.key.uses(scope));
        level.map_future(
            Carries::Reply,
            |inner| quote_spanned!(own_span()=> #p::coalesce(#seat, #inner, #class, (#copies, #error_copies))),
        )
    }
}
