//! Keys of `hedge`.

use super::{Foreign, Table, budget};
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
    code: &["when", "when_ok", "no_clone"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check: |_| Vec::new(),
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "delay wait hedging_delay hedge_delay hedge_after interval latency threshold \
                duration timeout",
        advice: "use `after`, the time after which an attempt is slow: `after = \"50ms\"`",
    },
    Foreign {
        words: "percentile quantile latency_percentile p p50 p90 p95 p99",
        advice: "a quantile stands behind `after`: `after = \"p95\"`",
    },
    Foreign {
        words: "attempts max_attempts hedged_attempts count n parallel",
        advice: "use `max`, the attempts with the first included",
    },
    Foreign {
        words: "hedges max_hedges max_hedged_attempts extra retries max_retries",
        advice: "use `max`, which counts attempts, the first included: 1 hedge is `max = 2`",
    },
    Foreign {
        words: "min_data_points min_samples warm_up warmup window",
        advice: "a quantile is taken over the last thousand first attempts, once there are enough of them",
    },
    Foreign {
        words: "backoff base jitter",
        advice: "attempts of a hedge do not wait for one another: put `#[retry]` above for that",
    },
];

const FOREIGN_CODE: &[Foreign] = &[
    Foreign {
        words: "hedge_if eligible_if predicate on should_handle should_hedge if",
        advice: "use `when`, which sees the error: `when = Error::is_transient`",
    },
    Foreign {
        words: "hedge_if_ok hedge_on_result when_result",
        advice: "use `when_ok`, which sees the value",
    },
    Foreign {
        words: "clone skip borrow by_ref",
        advice: "use `no_clone(a, b)` for arguments that the body only borrows",
    },
];
