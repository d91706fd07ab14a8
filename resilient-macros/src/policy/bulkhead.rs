//! `#[bulkhead(…)]`: caps how many run at once.

use quote::quote;

use crate::lower::{Carries, Level, Scope};
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "bulkhead",
    keys: &["name", "max_concurrent", "max_wait", "max_queue", "mode", "enabled", "crate"],
    foreign: &[OTHER_NAMES],
    lone: "`name = \"disk\"` and `max_concurrent = 10`",
    twice: Twice::UnderOtherNames,
    read: |reader| Box::new(Bulkhead::read(reader)),
};

pub(super) struct Bulkhead {
    /// Whether a call may wait before the layers below begin.
    waits: bool,
}

impl Bulkhead {
    /// One of which only the configuration knows more.
    pub(super) const fn unset() -> Self {
        Self { waits: true }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        reader.required_name("\"disk\"");
        let most = reader.count("max_concurrent", 1, ": it counts the calls that run at once");
        let elsewhere = reader.has_foreign() || reader.has_loose();
        if most.is_none() && !reader.has("max_concurrent") && !elsewhere {
            reader.fault("", "`#[bulkhead]` needs `max_concurrent = 10`, the calls that run at once");
        }
        let wait = reader.duration("max_wait", None);
        let waits = wait.is_some_and(|wait| wait.literal.is_none_or(|wait| !wait.is_zero()));
        reader.count("max_queue", 1, ": without `max_wait` nobody waits");
        reader.needs("max_queue", &["max_wait"], "`max_wait`, the time a call may stay in the queue");
        reader.mode();
        Self { waits }
    }
}

impl Policy for Bulkhead {
    fn registered(&self) -> &'static str {
        "Bulkhead"
    }

    fn takes_time(&self) -> bool {
        self.waits
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let level = scope.future(inner);
        level.map_future(Carries::Reply, |inner| quote!(#p::bulkhead(#p::places(#place), #inner, #class)))
    }
}
