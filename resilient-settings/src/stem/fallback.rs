//! Keys of `fallback`.

use super::Table;
use crate::{Key, Kind};

pub const MAX_ENTRIES: usize = 0;
pub const MAX_AGE: usize = 1;
pub const ENABLED: usize = 2;

pub static TABLE: Table = Table {
    name: "fallback",
    keys: &[
        Key { name: "max_entries", kind: Kind::Count(1) },
        Key { name: "max_age", kind: Kind::POSITIVE_TIME },
        super::ENABLED_KEY,
    ],
    code: &["fn", "value", "cached", "when", "key"],
    excludes: &[],
    check: |_| Vec::new(),
};
