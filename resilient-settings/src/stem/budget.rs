//! Keys of `budget`.

use super::Table;
use crate::{Key, Kind};

pub const CAPACITY: usize = 0;
pub const CREDIT: usize = 1;
pub const RESERVE: usize = 2;
pub const ENABLED: usize = 3;

/// Name of the budget that those share who name none.
pub const DEFAULT: &str = "default";
/// Name of the budget that never ends.
pub const ENDLESS: &str = "none";

/// The kind of a key that names a budget.
pub const NAMED: Kind = Kind::Name { otherwise: DEFAULT, none: ENDLESS };

pub static TABLE: Table = Table {
    name: "budget",
    keys: &[
        Key { name: "capacity", kind: Kind::Count(0) },
        Key { name: "credit", kind: Kind::Ratio },
        Key { name: "reserve", kind: Kind::Count(0) },
        super::ENABLED_KEY,
    ],
    code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};
