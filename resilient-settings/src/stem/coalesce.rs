//! Keys of `coalesce`.

use super::Table;

pub static TABLE: Table =
    Table { name: "coalesce", keys: &[], code: &["key"], excludes: &[], check: |_| Vec::new() };
