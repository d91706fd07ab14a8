//! Keys of `[resilient]`, which concern all policies.

use std::time::Duration;

use super::Table;
use crate::{Key, Kind};

pub const VERSION: usize = 0;
pub const ENABLED: usize = 1;
pub const ON_UNKNOWN_POLICY: usize = 2;
pub const REQUIRE: usize = 3;
pub const RELOAD: usize = 4;

/// The word of `on_unknown_policy` that refuses a name that no function uses.
pub const ERROR: &str = "error";
/// The word of `on_unknown_policy` that lets a name pass that no function uses.
pub const WARN: &str = "warn";
/// The word of `reload` for never.
pub const OFF: &str = "off";

pub static TABLE: Table = Table {
    name: "resilient",
    keys: &[
        Key { name: "version", kind: Kind::CountTo(1) },
        Key { name: "enabled", kind: Kind::Flag },
        Key { name: "on_unknown_policy", kind: Kind::Word(&[ERROR, WARN]) },
        Key { name: "require", kind: Kind::Flag },
        Key { name: "reload", kind: Kind::TimeOr(Duration::from_millis(100), OFF) },
    ],
    code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};
