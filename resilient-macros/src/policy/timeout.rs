//! `#[timeout("2s")]`: gives up after a time.

use std::time::Duration;

use quote::quote;
use resilient_settings::stem::Foreign;

use crate::lower::{Carries, Level, Scope};
use crate::policy::{Kind, Limit, Policy, Twice};
use crate::reader::{Given, Reader};

pub(crate) static KIND: Kind = Kind {
    stem: "timeout",
    keys: &["name", "mode", "enabled", "crate"],
    // The time has a key in files alone.
    foreign: &[Foreign {
        words: "duration limit after timeout timeout_duration time secs seconds s ms millis within max deadline \
                time_limit",
        advice: "the time stands alone, with its unit: `#[timeout(\"2s\")]`",
    }],
    lone: "one duration: `#[timeout(\"2s\")]`",
    twice: Twice::Freely,
    read: |reader| Box::new(Timeout::read(reader)),
};

pub(super) struct Timeout {
    limit: Option<Given<Duration>>,
}

impl Timeout {
    /// One of which only the configuration knows more.
    pub(super) const fn unset() -> Self {
        Self { limit: None }
    }

    fn read(reader: &mut Reader<'_>) -> Self {
        reader.name("\"quote\"");
        let loose = reader.has_loose();
        let limit = reader.lone_duration("limit", Some("every call would time out"));
        if limit.is_none() && !loose && !reader.has_foreign() {
            reader.fault("", "`#[timeout]` needs a duration: `#[timeout(\"2s\")]`");
        }
        reader.mode();
        Self { limit }
    }
}

impl Policy for Timeout {
    fn registered(&self) -> &'static str {
        "TimeoutPolicy"
    }

    fn limit(&self) -> Option<Limit> {
        let limit = self.limit.as_ref()?;
        Some(Limit { time: limit.literal?, at: limit.at.clone() })
    }

    fn wrap(&self, scope: &Scope<'_>, inner: Level) -> Level {
        let (p, place, class) = (scope.p(), scope.place(), scope.class());
        let level = scope.future(inner);
        level.map_future(Carries::Reply, |inner| quote!(#p::timeout(#p::limit(#place), #inner, #class)))
    }
}
