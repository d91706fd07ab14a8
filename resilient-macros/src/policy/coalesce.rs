//! `#[coalesce]`: lets one call run for all that ask the same at once.

use quote::quote_spanned;

use crate::key::Key;
use crate::lower::{Carries, Level, Scope, own_span};
use crate::policy::{Kind, Policy, Twice};
use crate::reader::{OTHER_NAMES, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "coalesce",
    keys: &["key", "name", "enabled", "crate"],
    foreign: &[OTHER_NAMES],
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
    fn registered(&self) -> &'static str {
        "Coalesce"
    }

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
