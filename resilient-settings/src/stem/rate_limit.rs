//! Keys of `rate_limit`.

use std::time::Duration;

use super::{Foreign, Table};
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
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "limit permits max calls requests max_requests max_calls max_rate \
                max_executions limit_for_period permits_per_period permits_per_second \
                tokens_per_period permit_limit quota throughput frequency qps rps rpm tps \
                per_second per_minute per_hour per requests_per_second requests_per_minute \
                calls_per_second period window interval refill refill_rate \
                replenishment_period refresh_period limit_refresh_period value",
        advice: "use `rate`, the calls in a time: `rate = \"100/s\"`",
    },
    Foreign {
        words: "capacity bucket bucket_size burst_size burst_limit burst_capacity max_burst \
                max_permits max_tokens token_limit tokens",
        advice: "use `burst`, the calls that may start at once after a pause",
    },
    Foreign {
        words: "wait timeout timeout_duration max_delay max_wait_time max_wait_duration \
                wait_timeout",
        advice: "use `max_wait`, the time a call waits for its turn (for a limit on the call itself put `#[timeout(\"2s\")]` below)",
    },
    Foreign {
        words: "queue queue_size queue_limit max_queue",
        advice: "use `max_wait`: the line is as long as the calls that can start within that time",
    },
    Foreign { words: "max_entries max_partitions", advice: "use `max_keys`" },
    Foreign {
        words: "max_concurrent concurrency max_concurrency",
        advice: "a rate limit caps calls per time; for calls at once put `#[bulkhead(…)]` below",
    },
];

const FOREIGN_CODE: &[Foreign] = &[Foreign {
    words: "by per_key key_by group_by partition partition_by",
    advice: "use `key`, an expression: calls of one key share their permits",
}];
