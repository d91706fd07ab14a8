//! Keys of `timeout`.

use super::Table;
use crate::{Key, Kind};

pub const LIMIT: usize = 0;
pub const ENABLED: usize = 1;
pub const MODE: usize = 2;

pub static TABLE: Table = Table {
    name: "timeout",
    keys: &[Key { name: "limit", kind: Kind::POSITIVE_TIME }, super::ENABLED_KEY, super::MODE_KEY],
    code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};
