//! Keys of `retry`.

use std::time::Duration;

use super::{Table, budget};
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
/// Attempts where nobody says how many.
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
    excludes: &[],
    check,
};

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
