//! Keys of `timeout`.

use super::{Foreign, Table};
use crate::{Key, Kind};

pub const LIMIT: usize = 0;
pub const ENABLED: usize = 1;
pub const MODE: usize = 2;

pub static TABLE: Table = Table {
    name: "timeout",
    keys: &[Key { name: "limit", kind: Kind::POSITIVE_TIME }, super::ENABLED_KEY, super::MODE_KEY],
    code: &[],
    foreign: FOREIGN,
    foreign_code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "duration after timeout timeout_duration time secs seconds s ms millis within \
                max deadline time_limit",
        advice: "use `limit`, with its unit: `limit = \"2s\"`",
    },
    Foreign { words: "on_timeout error err", advice: "put `#[fallback(…)]` above for another answer" },
    Foreign { words: "retry retries", advice: "put `#[retry]` above: each attempt then has this time" },
    Foreign { words: "cancel_running_future", advice: "a call that takes too long is always dropped" },
];
