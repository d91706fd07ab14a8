//! Keys of `bulkhead`.

use std::time::Duration;

use super::Table;
use crate::{Complaint, Key, Kind};

pub const MAX_CONCURRENT: usize = 0;
pub const MAX_WAIT: usize = 1;
pub const MAX_QUEUE: usize = 2;
pub const ENABLED: usize = 3;
pub const MODE: usize = 4;

pub static TABLE: Table = Table {
    name: "bulkhead",
    keys: &[
        Key { name: "max_concurrent", kind: Kind::Count(1) },
        Key { name: "max_wait", kind: Kind::Time(Duration::ZERO) },
        Key { name: "max_queue", kind: Kind::Count(1) },
        super::ENABLED_KEY,
        super::MODE_KEY,
    ],
    code: &[],
    excludes: &[],
    check: |written| {
        let waits = written.time(MAX_WAIT).is_some_and(|most| !most.is_zero());
        let idle = written.get(MAX_QUEUE).is_some() && !waits;
        idle.then(|| Complaint::new("max_queue", &["max_wait"], "has no effect without `max_wait`"))
            .into_iter()
            .collect()
    },
};
