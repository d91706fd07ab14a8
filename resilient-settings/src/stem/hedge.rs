//! Keys of `hedge`.

use super::{Table, budget};
use crate::{Key, Kind};

pub const AFTER: usize = 0;
pub const MAX: usize = 1;
pub const BUDGET: usize = 2;
pub const ENABLED: usize = 3;

/// More at once is no hedge.
pub const MOST: u64 = 16;

pub static TABLE: Table = Table {
    name: "hedge",
    keys: &[
        Key { name: "after", kind: Kind::TimeOrQuantile },
        Key { name: "max", kind: Kind::CountTo(MOST) },
        Key { name: "budget", kind: budget::NAMED },
        super::ENABLED_KEY,
    ],
    code: &["when", "no_clone"],
    excludes: &[],
    check: |_| Vec::new(),
};
