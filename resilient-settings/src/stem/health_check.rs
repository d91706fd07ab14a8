//! Keys of `health_check`.

use super::Table;
use crate::{Key, Kind};

pub const CRITICAL: usize = 0;
pub const INTERVAL: usize = 1;
pub const TIMEOUT: usize = 2;

pub static TABLE: Table = Table {
    name: "health_check",
    keys: &[
        Key { name: "critical", kind: Kind::Flag },
        Key { name: "interval", kind: Kind::POSITIVE_TIME },
        Key { name: "timeout", kind: Kind::POSITIVE_TIME },
    ],
    code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};
