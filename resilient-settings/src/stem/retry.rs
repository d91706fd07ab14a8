//! Keys of `retry`.

use std::time::Duration;

use super::{Foreign, Table, budget};
use crate::{Backoff, Complaint, Jitter, Key, Kind, Schedule, Written};

pub const MAX: usize = 0;
pub const BACKOFF: usize = 1;
pub const BASE: usize = 2;
pub const FACTOR: usize = 3;
pub const MAX_DELAY: usize = 4;
pub const JITTER: usize = 5;
pub const WITHIN: usize = 6;
pub const BUDGET: usize = 7;
pub const MAX_RETRY_AFTER: usize = 8;
pub const NESTED: usize = 9;
pub const ENABLED: usize = 10;

pub const NESTED_WORDS: &[&str] = &["share", "once"];
/// How many attempts, unless told otherwise.
pub const DEFAULT_MAX: u32 = 3;

pub static TABLE: Table = Table {
    name: "retry",
    keys: &[
        Key { name: "max", kind: Kind::Count(1) },
        Key { name: "backoff", kind: Kind::Word(Backoff::WORDS) },
        Key { name: "base", kind: Kind::Time(Duration::ZERO) },
        Key { name: "factor", kind: Kind::Factor },
        Key { name: "max_delay", kind: Kind::Time(Duration::ZERO) },
        Key { name: "jitter", kind: Kind::Word(Jitter::WORDS) },
        Key { name: "within", kind: Kind::POSITIVE_TIME },
        Key { name: "budget", kind: budget::NAMED },
        Key { name: "max_retry_after", kind: Kind::Time(Duration::ZERO) },
        Key { name: "nested", kind: Kind::Word(NESTED_WORDS) },
        super::ENABLED_KEY,
    ],
    code: &["when", "when_ok", "on_retry", "no_clone"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    excludes: &[],
    check,
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "attempts max_attempts times tries max_tries count n limit attempt_count \
                stop_after_attempt take",
        advice: "use `max`, the attempts with the first included",
    },
    Foreign {
        words: "retries max_retries num_retries max_times max_retry retry_count retry_attempts \
                max_retry_attempts max_retry_count retry_limit number_of_retries",
        advice: "use `max`, which counts attempts, the first included: 3 retries are `max = 4`",
    },
    Foreign {
        words: "delay wait initial initial_delay initial_interval initial_backoff interval \
                min_delay min_backoff min_wait base_delay base_interval backoff_base \
                wait_duration wait_time wait_fixed first_delay median_first_retry_delay \
                retry_delay retry_interval sleep sleep_duration pause duration millis ms secs",
        advice: "use `base`, the first wait: `base = \"100ms\"`",
    },
    Foreign {
        words: "multiplier exponent growth backoff_factor backoff_multiplier \
                exponential_backoff_multiplier exp_base exponential_base delay_factor",
        advice: "use `factor`",
    },
    Foreign {
        words: "cap max_wait max_backoff max_interval ceiling max_retry_delay \
                max_retry_interval max_sleep maximum_delay max_wait_duration \
                exponential_max_wait_duration backoff_cap",
        advice: "use `max_delay`",
    },
    Foreign {
        words: "strategy policy kind backoff_type backoff_strategy backoff_policy \
                retry_strategy",
        advice: "use `backoff`",
    },
    Foreign {
        words: "exponential fixed constant linear fibonacci exponential_backoff \
                enable_exponential_backoff",
        advice: "a strategy stands behind `backoff`: `backoff = \"fixed\"`",
    },
    Foreign {
        words: "full equal decorrelated use_jitter enable_jitter with_jitter jitter_factor \
                randomize randomization_factor enable_randomized_wait randomized_wait_factor",
        advice: "a kind of jitter stands behind `jitter`: `jitter = \"equal\"`",
    },
    Foreign { words: "no_jitter without_jitter", advice: "write `jitter = \"none\"`" },
    Foreign {
        words: "deadline total max_duration max_elapsed_time max_elapsed elapsed total_timeout \
                total_time overall_timeout time_limit max_time stop_after_delay max_retry_time",
        advice: "use `within`, the time for everything",
    },
    Foreign {
        words: "timeout attempt_timeout per_attempt per_try_timeout per_attempt_timeout \
                try_timeout",
        advice: "put `#[timeout(\"2s\")]` below for each attempt, above for all, or use `within`",
    },
    Foreign {
        words: "retry_after respect_retry_after obey_retry_after max_server_delay",
        advice: "use `max_retry_after`, the longest wait that a server may ask for",
    },
    Foreign {
        words: "retry_budget token_bucket throttling retry_throttling",
        advice: "use `budget`, the name of what retries are paid from",
    },
    Foreign { words: "fallback", advice: "put `#[fallback(fn = …)]` above" },
];

const FOREIGN_CODE: &[Foreign] = &[
    Foreign {
        words: "retry_if if predicate condition on retry_on retry_when should_retry abort_if \
                abort_on filter retry_exceptions ignore_exceptions retry_on_exception \
                retryable should_handle handle",
        advice: "use `when`, which sees the error: `when = Error::is_transient`",
    },
    Foreign {
        words: "retry_if_ok retry_on_result when_result retry_if_result",
        advice: "use `when_ok`, which sees the value",
    },
    Foreign { words: "notify on_error before_retry on_failure hook before_sleep", advice: "use `on_retry`" },
    Foreign {
        words: "clone skip borrow by_ref",
        advice: "use `no_clone(a, b)` for arguments that the body only borrows",
    },
];

/// Attempts that a call may make.
#[must_use]
pub fn max(written: &Written) -> u32 {
    written.count(MAX).map_or(DEFAULT_MAX, |max| u32::try_from(max).unwrap_or(u32::MAX))
}

/// What decides how long the waits are.
pub const WAITS: &[&str] = &["base", "max", "jitter", "backoff", "factor", "max_delay"];

/// When they are made.
#[must_use]
pub fn schedule(written: &Written) -> Schedule {
    let default = Schedule::DEFAULT;
    Schedule {
        backoff: written.word(BACKOFF).and_then(Backoff::from_word).unwrap_or(default.backoff),
        base: written.time(BASE).unwrap_or(default.base),
        factor: written.number(FACTOR).unwrap_or(default.factor),
        max_delay: written.time(MAX_DELAY).unwrap_or(default.max_delay),
        jitter: written.word(JITTER).and_then(Jitter::from_word).unwrap_or(default.jitter),
    }
}

/// What can never work: waits that are all cut, or a first one that leaves no time for a second
/// attempt. More attempts than fit are fine, for `within` ends them.
fn check(written: &Written) -> Vec<Complaint> {
    let (max, schedule) = (max(written), schedule(written));
    let Schedule { base, max_delay, .. } = schedule;
    let mut complaints = Vec::new();
    if base > max_delay {
        let message = format!("{base:?} is more than max_delay ({max_delay:?})");
        complaints.push(Complaint::new("base", &["max_delay"], message));
    }
    let least = schedule.least_total_wait(max.min(2));
    if let Some(within) = written.time(WITHIN).filter(|within| max > 1 && least >= *within) {
        let message = format!("the first wait takes at least {least:?}, which never fits into {within:?}");
        complaints.push(Complaint::new("within", WAITS, message));
    }
    complaints
}
