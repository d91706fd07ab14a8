//! Keys of `timeout`.

use super::Table;
use crate::{Key, Kind};

pub const LIMIT: usize = 0;

pub static TABLE: Table = Table {
    name: "timeout",
    keys: &[Key { name: "limit", kind: Kind::POSITIVE_TIME }],
    code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};
