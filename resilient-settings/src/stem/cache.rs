//! Keys of `cache`.

use std::time::Duration;

use super::Table;
use crate::{Key, Kind};

pub const TTL: usize = 0;
pub const STALE_IF_ERROR: usize = 1;
pub const STALE_WHILE_REVALIDATE: usize = 2;
pub const MAX_ENTRIES: usize = 3;
pub const ENABLED: usize = 4;

pub static TABLE: Table = Table {
    name: "cache",
    keys: &[
        Key { name: "ttl", kind: Kind::POSITIVE_TIME },
        Key { name: "stale_if_error", kind: Kind::Time(Duration::ZERO) },
        Key { name: "stale_while_revalidate", kind: Kind::Time(Duration::ZERO) },
        Key { name: "max_entries", kind: Kind::Count(1) },
        super::ENABLED_KEY,
    ],
    code: &["key"],
    excludes: &[],
    check: |_| Vec::new(),
};
