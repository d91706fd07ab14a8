//! Keys of `rate_limit`.

use std::time::Duration;

use super::Table;
use crate::{Key, Kind};

pub const RATE: usize = 0;
pub const BURST: usize = 1;
pub const MAX_WAIT: usize = 2;
pub const MAX_KEYS: usize = 3;
pub const ENABLED: usize = 4;
pub const MODE: usize = 5;

pub static TABLE: Table = Table {
    name: "rate_limit",
    keys: &[
        Key { name: "rate", kind: Kind::Rate },
        Key { name: "burst", kind: Kind::Count(1) },
        Key { name: "max_wait", kind: Kind::Time(Duration::ZERO) },
        Key { name: "max_keys", kind: Kind::Count(1) },
        super::ENABLED_KEY,
        super::MODE_KEY,
    ],
    code: &["key"],
    excludes: &[],
    check: |_| Vec::new(),
};
