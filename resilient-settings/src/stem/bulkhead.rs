//! Keys of `bulkhead`.

use std::time::Duration;

use super::{Foreign, Table};
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
    foreign: FOREIGN,
    foreign_code: &[],
    excludes: &[],
    check: |written| {
        let waits = written.time(MAX_WAIT).is_some_and(|most| !most.is_zero());
        let idle = written.get(MAX_QUEUE).is_some() && !waits;
        idle.then(|| Complaint::new("max_queue", &["max_wait"], "has no effect without `max_wait`"))
            .into_iter()
            .collect()
    },
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "max limit permits permit_limit size value concurrent parallel concurrency \
                concurrent_calls max_concurrency max_concurrent_calls max_concurrent_requests \
                max_in_flight max_parallel max_parallel_calls max_parallelization max_threads \
                max_connections max_thread_pool_size core_size core_thread_pool_size slots \
                workers capacity",
        advice: "use `max_concurrent`, the calls that run at once",
    },
    Foreign {
        words: "wait timeout wait_timeout max_wait_time max_wait_duration max_queue_time \
                wait_duration queue_timeout acquire_timeout",
        advice: "use `max_wait`, the time a call waits for a place (for a limit on the call itself put `#[timeout(\"2s\")]` above)",
    },
    Foreign {
        words: "queue queue_size queue_limit queue_length queue_capacity \
                queue_size_rejection_threshold waiting max_waiting pending max_pending \
                max_pending_requests max_queued max_queue_size max_queuing_actions backlog \
                waiting_task_queue",
        advice: "use `max_queue`, the calls that wait at once",
    },
    Foreign { words: "rate per_second", advice: "a bulkhead caps calls at once, not calls per time" },
    Foreign {
        words: "reject reject_when_full",
        advice: "without `max_wait` a full bulkhead refuses at once",
    },
];
