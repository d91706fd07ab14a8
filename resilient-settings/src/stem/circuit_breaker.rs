//! Keys of `circuit_breaker`.

use std::time::Duration;

use super::{Foreign, Rivals, Table};
use crate::{Complaint, Key, Kind, Value, Written};

/// Calls of the longest window, which takes a quarter of a byte for each.
pub const MOST_CALLS: u32 = 65_536;
/// How many calls a window holds, unless told otherwise.
pub const WINDOW_CALLS: u32 = 100;
/// No more probes run at once.
pub const MOST_PROBES: u32 = 1_024;

pub const FAILURE_THRESHOLD: usize = 0;
pub const FAILURE_RATE: usize = 1;
pub const WINDOW: usize = 2;
pub const MIN_CALLS: usize = 3;
pub const SLOW_CALL: usize = 4;
pub const SLOW_RATE: usize = 5;
pub const RESET_TIMEOUT: usize = 6;
pub const RESET_FACTOR: usize = 7;
pub const MAX_RESET_TIMEOUT: usize = 8;
pub const HALF_OPEN_CALLS: usize = 9;
pub const SUCCESS_THRESHOLD: usize = 10;
pub const HALF_OPEN_TIMEOUT: usize = 11;
pub const RAMP: usize = 12;
pub const ABANDONED: usize = 13;
pub const MAX_KEYS: usize = 14;
pub const ENABLED: usize = 15;
pub const HEALTH: usize = 16;
pub const READINESS: usize = 17;
pub const MODE: usize = 18;

const KEYS: &[Key] = &[
    Key { name: "failure_threshold", kind: Kind::Count(1) },
    Key { name: "failure_rate", kind: Kind::Ratio },
    Key { name: "window", kind: Kind::CountOrTime(MOST_CALLS as u64) },
    Key { name: "min_calls", kind: Kind::Count(1) },
    Key { name: "slow_call", kind: Kind::POSITIVE_TIME },
    Key { name: "slow_rate", kind: Kind::Ratio },
    Key { name: "reset_timeout", kind: Kind::POSITIVE_TIME },
    Key { name: "reset_factor", kind: Kind::Factor },
    Key { name: "max_reset_timeout", kind: Kind::POSITIVE_TIME },
    Key { name: "half_open_calls", kind: Kind::CountTo(MOST_PROBES as u64) },
    Key { name: "success_threshold", kind: Kind::Count(1) },
    Key { name: "half_open_timeout", kind: Kind::POSITIVE_TIME },
    Key { name: "ramp", kind: Kind::Time(Duration::ZERO) },
    Key { name: "abandoned", kind: Kind::Word(&["ignore", "failure"]) },
    Key { name: "max_keys", kind: Kind::Count(1) },
    super::ENABLED_KEY,
    Key { name: "health", kind: Kind::Name { otherwise: "none", none: "none" } },
    Key { name: "readiness", kind: Kind::Word(super::READINESS) },
    super::MODE_KEY,
];

pub static TABLE: Table = Table {
    name: "circuit_breaker",
    keys: KEYS,
    code: &["failure_when", "ignore_when", "key"],
    foreign: FOREIGN,
    foreign_code: FOREIGN_CODE,
    // Consecutive failures decide, or their share does.
    excludes: &[
        Rivals { one: &["failure_threshold"], other: &["failure_rate"], unless: &[], why: "" },
        Rivals {
            one: &["failure_threshold"],
            other: &["window", "min_calls"],
            unless: &["slow_call"],
            why: ", for it belongs to `failure_rate`, or to `slow_call`",
        },
    ],
    check,
};

const FOREIGN: &[Foreign] = &[
    Foreign {
        words: "threshold failures max_failures consecutive_failures failure_count trip_after \
                max max_errors errors error_threshold failure_limit fail_max allowed_failures \
                consecutive_errors max_consecutive_failures failures_before_breaking \
                exceptions_allowed_before_breaking handled_events_allowed_before_breaking",
        advice: "use `failure_threshold`, the failures in a row that open it",
    },
    Foreign {
        words: "error_rate failure_ratio ratio rate error_threshold_percentage \
                failure_rate_threshold failure_percent failure_percentage error_percent \
                error_percentage error_percent_threshold failure_percentage_threshold \
                max_failure_rate",
        advice: "use `failure_rate`, from 0 to 1, with `window` and `min_calls`",
    },
    Foreign {
        words: "sampling sampling_duration sliding_window sliding_window_size \
                sliding_window_type window_size rolling_window rolling_duration \
                window_duration period interval failure_thresholding_period",
        advice: "use `window`, a number of calls or a duration",
    },
    Foreign {
        words: "minimum_calls min_throughput minimum_throughput minimum_number_of_calls \
                request_volume_threshold volume volume_threshold min_requests minimum_requests \
                minimum_request_volume min_request_amount min_samples \
                failure_execution_threshold",
        advice: "use `min_calls`, the calls needed before the rate counts",
    },
    Foreign {
        words: "timeout wait wait_duration wait_duration_in_open_state break_duration \
                break_time break_for duration duration_of_break delay open_for open_timeout \
                open_duration cooldown cool_down cooldown_period recovery recovery_time \
                recovery_timeout reset reset_time reset_after half_open_after sleep_window \
                base_ejection_time",
        advice: "use `reset_timeout`, from open to half-open (for a limit on each call put `#[timeout(\"2s\")]` below)",
    },
    Foreign {
        words: "factor multiplier backoff_factor backoff_multiplier",
        advice: "use `reset_factor`, by which the open time grows while it keeps failing",
    },
    Foreign {
        words: "max_backoff max_delay max_wait max_interval max_cooldown max_ejection_time",
        advice: "use `max_reset_timeout`, up to which `reset_factor` makes the open time grow",
    },
    Foreign {
        words: "probes permitted_calls half_open_max_calls permitted_calls_in_half_open \
                permitted_number_of_calls_in_half_open_state half_open_requests \
                half_open_max_requests half_open_probes half_open_permits max_half_open \
                max_requests probe_calls trial_calls",
        advice: "use `half_open_calls`, the probes at once",
    },
    Foreign {
        words: "probe_timeout half_open_duration max_wait_duration_in_half_open_state",
        advice: "use `half_open_timeout`, after which a probe gives its place to another",
    },
    Foreign {
        words: "successes success close_after success_count consecutive_successes \
                half_open_successes required_successes",
        advice: "use `success_threshold`, the successes that close it",
    },
    Foreign {
        words: "slow slow_call_duration slow_call_duration_threshold",
        advice: "use `slow_call` with `slow_rate`",
    },
    Foreign {
        words: "slow_call_rate slow_call_rate_threshold slow_ratio",
        advice: "use `slow_rate`, from 0 to 1",
    },
    Foreign {
        words: "slow_start ramp_up warm_up warmup",
        advice: "use `ramp`, the time in which it lets more and more calls through once it has closed",
    },
    Foreign { words: "max_entries max_partitions", advice: "use `max_keys`" },
    Foreign { words: "fallback fallback_fn", advice: "put `#[fallback(fn = …)]` above" },
    Foreign {
        words: "health_check check probe healthcheck",
        advice: "use `health`, the name of a `#[health_check]` that holds it open while it fails",
    },
    Foreign {
        words: "force_open forced_open force_closed manual_control",
        advice: "it is held by hand while the program runs: `registry().circuit_breaker(\"payments\")` has `force_open`",
    },
    Foreign {
        words: "automatic_transition_from_open_to_half_open_enabled",
        advice: "the first call after `reset_timeout` makes it half-open",
    },
    Foreign {
        words: "on_open on_close on_state_change notify",
        advice: "its changes are events: call `resilient_runtime::subscribe()`",
    },
];

const FOREIGN_CODE: &[Foreign] = &[
    Foreign {
        words: "predicate when if is_failure failure_if record condition record_exceptions \
                should_handle handle",
        advice: "use `failure_when`, which sees `&Result<T, E>`, or `ignore_when`, which sees the error",
    },
    Foreign {
        words: "ignore ignore_if except exclude ignore_exceptions",
        advice: "use `ignore_when`, which sees the error",
    },
];

fn check(written: &Written) -> Vec<Complaint> {
    let has = |key| written.get(key).is_some();
    let mut complaints = Vec::new();
    if !has(FAILURE_RATE) && !has(SLOW_CALL) {
        for key in [WINDOW, MIN_CALLS].into_iter().filter(|key| has(*key)) {
            let message = "has no effect without `failure_rate` or `slow_call`";
            complaints.push(Complaint::new(KEYS[key].name, &["failure_rate", "slow_call"], message));
        }
    } else if let Some(most) = written.get(WINDOW).map_or(Some(u64::from(WINDOW_CALLS)), calls)
        && let Some(least) = written.count(MIN_CALLS)
        && least > most
    {
        let message = format!("{least} is more than the {most} calls of `window`");
        complaints.push(Complaint::new("min_calls", &["window"], message));
    }
    if has(SLOW_RATE) && !has(SLOW_CALL) {
        complaints.push(Complaint::new("slow_rate", &["slow_call"], "has no effect without `slow_call`"));
    }
    if let (Some(base), Some(most)) = (written.time(RESET_TIMEOUT), written.time(MAX_RESET_TIMEOUT))
        && most < base
    {
        let message = format!("{most:?} is less than `reset_timeout`, which is {base:?}");
        complaints.push(Complaint::new("max_reset_timeout", &["reset_timeout"], message));
    }
    complaints
}

const fn calls(window: Value) -> Option<u64> {
    match window {
        Value::Count(calls) => Some(calls),
        _ => None,
    }
}
