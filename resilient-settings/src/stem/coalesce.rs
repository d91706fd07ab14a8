//! Keys of `coalesce`.

use super::Table;

pub const ENABLED: usize = 0;

pub static TABLE: Table = Table {
    name: "coalesce",
    keys: &[super::ENABLED_KEY],
    code: &["key"],
    excludes: &[],
    check: |_| Vec::new(),
};
