//! Keys of `[resilient]`, which concern all policies.

use std::time::Duration;

use super::{Foreign, Table};
use crate::{Key, Kind};

pub const VERSION: usize = 0;
pub const ENABLED: usize = 1;
pub const ON_UNKNOWN_POLICY: usize = 2;
pub const REQUIRE: usize = 3;
pub const RELOAD: usize = 4;

/// The table in it that has the levels of events.
pub const LOG: &str = "log";

/// The word of `on_unknown_policy` that refuses a name that no function uses.
pub const ERROR: &str = "error";
/// The word of `on_unknown_policy` that lets a name pass that no function uses.
pub const WARN: &str = "warn";
/// The word of `reload` for never.
pub const OFF: &str = "off";

pub static TABLE: Table = Table {
    name: "resilient",
    keys: &[
        Key { name: "version", kind: Kind::Version(1) },
        Key { name: "enabled", kind: Kind::Flag },
        Key { name: "on_unknown_policy", kind: Kind::Word(&[ERROR, WARN]) },
        Key { name: "require", kind: Kind::Flag },
        Key { name: "reload", kind: Kind::TimeOr(Duration::from_millis(100), OFF) },
    ],
    code: &[],
    foreign: FOREIGN,
    foreign_code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "watch hot_reload auto_reload reload_interval poll poll_interval refresh \
                refresh_interval interval",
        advice: "use `reload`, how often the files are looked at: `reload = \"5s\"`",
    },
    Foreign {
        words: "strict lenient on_unknown unknown unknown_policy unknown_policies \
                unknown_names",
        advice: "use `on_unknown_policy`, \"error\" or \"warn\"",
    },
    Foreign {
        words: "required require_all complete",
        advice: "use `require`: with `require = true` what a function names has to be here",
    },
    Foreign {
        words: "log_level level levels logging events",
        advice: "a table has the events and their levels: `[resilient.log]` with `opened = \"error\"`",
    },
    Foreign { words: "schema_version config_version format", advice: "use `version`" },
    Foreign {
        words: "mode dry_run shadow observe",
        advice: "it is said by kind: `[circuit_breaker.default]` with `mode = \"observe\"`",
    },
];
