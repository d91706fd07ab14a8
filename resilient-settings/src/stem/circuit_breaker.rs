//! Keys of `circuit_breaker`.

use std::time::Duration;

use super::{Rivals, Table};
use crate::{Complaint, Key, Kind, Value, Written};

/// No window of calls is longer: it takes a quarter of a byte for each.
pub const MOST_CALLS: u32 = 65_536;
/// Calls in the window where nobody says how many.
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
        let message =
            format!("{least} is more than the calls of `window`, which is {most}: no rate is ever known");
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
