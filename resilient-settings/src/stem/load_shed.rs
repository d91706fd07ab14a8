//! Keys of `load_shed`.

use super::{Foreign, Table};
use crate::{Complaint, Key, Kind, Written};

pub const MODE: usize = 0;
pub const ALGORITHM: usize = 1;
pub const INITIAL_LIMIT: usize = 2;
pub const MIN_LIMIT: usize = 3;
pub const MAX_LIMIT: usize = 4;
pub const QUEUE_TIME: usize = 5;
pub const WINDOW: usize = 6;
pub const OPTIONAL_AT: usize = 7;
pub const NORMAL_AT: usize = 8;
pub const IMPORTANT_AT: usize = 9;
pub const CRITICAL_AT: usize = 10;
pub const K: usize = 11;
pub const MIN_CALLS: usize = 12;
pub const ENABLED: usize = 13;
pub const READINESS: usize = 14;
pub const ENFORCEMENT: usize = 15;

pub const MODES: &[&str] = &["concurrency", "throttle"];
pub const ALGORITHMS: &[&str] = &["gradient", "aimd"];

pub static TABLE: Table = Table {
    name: "load_shed",
    keys: &[
        Key { name: "mode", kind: Kind::Word(MODES) },
        Key { name: "algorithm", kind: Kind::Word(ALGORITHMS) },
        Key { name: "initial_limit", kind: Kind::Count(1) },
        Key { name: "min_limit", kind: Kind::Count(1) },
        Key { name: "max_limit", kind: Kind::Count(1) },
        Key { name: "queue_time", kind: Kind::POSITIVE_TIME },
        Key { name: "window", kind: Kind::POSITIVE_TIME },
        Key { name: "optional_at", kind: Kind::Ratio },
        Key { name: "normal_at", kind: Kind::Ratio },
        Key { name: "important_at", kind: Kind::Ratio },
        Key { name: "critical_at", kind: Kind::Factor },
        Key { name: "k", kind: Kind::Factor },
        Key { name: "min_calls", kind: Kind::Count(1) },
        super::ENABLED_KEY,
        Key { name: "readiness", kind: Kind::Word(super::READINESS) },
        super::MODE_KEY,
    ],
    code: &["priority"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check,
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "limit max max_concurrent max_concurrency max_in_flight max_requests \
                concurrency",
        advice: "use `max_limit`: below it the limit is learned (for one that is fixed use `#[bulkhead]`)",
    },
    Foreign {
        words: "initial initial_concurrency start starting_limit",
        advice: "use `initial_limit`, the calls under way that it starts with",
    },
    Foreign {
        words: "min min_concurrency min_concurrent floor",
        advice: "use `min_limit`, which the learned limit never goes below",
    },
    Foreign {
        words: "target target_delay target_queue_time max_queue_time tolerance rtt_tolerance \
                latency max_latency threshold",
        advice: "use `queue_time`, how much longer calls may take than they do alone",
    },
    Foreign {
        words: "strategy limiter limit_algorithm gradient vegas",
        advice: "use `algorithm`, \"gradient\" or \"aimd\"",
    },
    Foreign {
        words: "max_wait max_queue queue queue_size timeout",
        advice: "nobody waits here: a call is admitted or refused at once (`#[bulkhead]` has a queue)",
    },
    Foreign {
        words: "multiplier ratio accept_ratio aggression aggressiveness success",
        advice: "use `k` with `mode = \"throttle\"`, the calls let through for each one accepted",
    },
    Foreign { words: "throttle adaptive", advice: "use `mode = \"throttle\"`" },
    Foreign {
        words: "min_requests minimum_calls min_throughput request_volume_threshold min_rps",
        advice: "use `min_calls`, the calls in the window before any is refused",
    },
    Foreign {
        words: "sample_window window_size sampling_duration interval period",
        advice: "use `window`, the time it looks at",
    },
];

const FOREIGN_CODE: &[Foreign] = &[
    Foreign {
        words: "criticality importance tier class level partition shed_level",
        advice: "use `priority`, one of \"critical\", \"important\", \"normal\" and \"optional\"",
    },
    Foreign {
        words: "critical important normal optional",
        advice: "a priority stands behind `priority`: `priority = \"critical\"`",
    },
];

/// What does not go together. What the other mode goes by is no mistake: whoever changes the mode by name
/// leaves what the attribute says of the first one as it is.
fn check(written: &Written) -> Vec<Complaint> {
    let unsaid = |&(key, _): &(usize, _)| written.get(key).is_some() && written.get(MODE).is_none();
    let idle = [(K, "k"), (MIN_CALLS, "min_calls")].into_iter().filter(unsaid);
    let idle =
        idle.map(|(_, key)| Complaint::new(key, &["mode"], "has no effect without `mode = \"throttle\"`"));
    let limits = [(MIN_LIMIT, "min_limit"), (INITIAL_LIMIT, "initial_limit"), (MAX_LIMIT, "max_limit")];
    let levels = [(OPTIONAL_AT, "optional_at"), (NORMAL_AT, "normal_at"), (IMPORTANT_AT, "important_at")];
    idle.chain(falling(written, limits)).chain(falling(written, levels)).collect()
}

/// Keys that are below one that they must not be below.
fn falling(written: &Written, keys: [(usize, &'static str); 3]) -> Vec<Complaint> {
    let said: Vec<_> = keys.iter().filter_map(|&(key, name)| Some((name, number(written, key)?))).collect();
    let pairs = said.iter().zip(said.iter().skip(1));
    let falls = pairs.filter(|((_, lower), (_, upper))| upper < lower);
    falls
        .map(|((below, lower), (key, upper))| {
            Complaint::new(key, &[below], format!("{upper} is below `{below}`, which is {lower}"))
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts fit 32 bits")]
fn number(written: &Written, key: usize) -> Option<f64> {
    written.number(key).or_else(|| written.count(key).map(|n| n as f64))
}
