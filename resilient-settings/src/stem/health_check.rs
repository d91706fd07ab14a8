//! Keys of `health_check`.

use super::{Foreign, Table};
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
    foreign: FOREIGN,
    foreign_code: &[],
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "enabled enable disabled disable active off mode",
        advice: "a check has no switch: it runs as long as what `health().start()` gives is kept",
    },
    Foreign {
        words: "every period delay period_seconds check_interval cache_duration cache_ttl ttl",
        advice: "use `interval`, the time between two runs",
    },
    Foreign {
        words: "limit within deadline max_time timeout_seconds",
        advice: "use `timeout`, the time one run may take",
    },
    Foreign {
        words: "required mandatory essential readiness",
        advice: "use `critical`: without such a check the program is not ready",
    },
    Foreign {
        words: "liveness live",
        advice: "no check decides about liveness: restarting this program mends nothing it depends on",
    },
    Foreign {
        words: "retries failure_threshold success_threshold attempts",
        advice: "put `#[retry]` below: the check has failed when the last attempt has",
    },
    Foreign {
        words: "breaker circuit_breaker",
        advice: "the breaker names the check: `#[circuit_breaker(…, health = \"database\")]`",
    },
];
