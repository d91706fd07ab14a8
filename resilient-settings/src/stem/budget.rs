//! Keys of `budget`.

use super::{Foreign, Table};
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
    foreign: FOREIGN,
    foreign_code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "tokens max_tokens token_limit size limit max max_size",
        advice: "use `capacity`, the retries that a full budget pays",
    },
    Foreign {
        words: "ratio token_ratio retry_ratio percent budget_percent retry_percent \
                percent_can_retry deposit refill",
        advice: "use `credit`, what each call adds: 0.2 pays a retry for every fifth call",
    },
    Foreign {
        words: "min_per_sec min_retries_per_second min_retry_concurrency min floor",
        advice: "use `reserve`, the retries that are paid however few calls there are",
    },
    Foreign {
        words: "ttl window period",
        advice: "a budget has no window: each call adds its `credit`, up to `capacity`",
    },
];
