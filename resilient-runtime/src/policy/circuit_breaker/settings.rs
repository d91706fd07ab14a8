//! The keys of a breaker: as a table, and as setters.

use std::time::Duration;

use super::limits::{MOST_CALLS, MOST_PROBES};
use super::{CircuitBreaker, CircuitWindow};
use crate::policy::{Complaint, Key, Kind, Value, Written};

pub(super) const FAILURE_THRESHOLD: usize = 0;
pub(super) const FAILURE_RATE: usize = 1;
pub(super) const WINDOW: usize = 2;
pub(super) const MIN_CALLS: usize = 3;
pub(super) const SLOW_CALL: usize = 4;
pub(super) const SLOW_RATE: usize = 5;
pub(super) const RESET_TIMEOUT: usize = 6;
pub(super) const RESET_FACTOR: usize = 7;
pub(super) const MAX_RESET_TIMEOUT: usize = 8;
pub(super) const HALF_OPEN_CALLS: usize = 9;
pub(super) const SUCCESS_THRESHOLD: usize = 10;
pub(super) const HALF_OPEN_TIMEOUT: usize = 11;
pub(super) const RAMP: usize = 12;
pub(super) const ABANDONED: usize = 13;
pub(super) const MAX_KEYS: usize = 14;

pub(super) static KEYS: &[Key] = &[
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
];

/// Consecutive failures decide, or their share does.
pub(super) static EXCLUDES: &[(&[&str], &[&str])] = &[(&["failure_threshold"], &["failure_rate"])];

pub(super) fn check(written: &Written) -> Vec<Complaint> {
    let has = |key| written.get(key).is_some();
    let mut complaints = Vec::new();
    // A threshold that took the place of a rate leaves the rate's window behind.
    if !has(FAILURE_RATE) && !has(SLOW_CALL) && !has(FAILURE_THRESHOLD) {
        for key in [WINDOW, MIN_CALLS].into_iter().filter(|key| has(*key)) {
            complaints
                .push(Complaint::new(KEYS[key].name, "has no effect without `failure_rate` or `slow_call`"));
        }
    }
    if has(SLOW_RATE) && !has(SLOW_CALL) {
        complaints.push(Complaint::new("slow_rate", "has no effect without `slow_call`"));
    }
    if let (Some(base), Some(most)) = (written.time(RESET_TIMEOUT), written.time(MAX_RESET_TIMEOUT))
        && most < base
    {
        let message = format!("{most:?} is less than `reset_timeout`, which is {base:?}");
        complaints.push(Complaint::new("max_reset_timeout", message));
    }
    complaints
}

impl CircuitBreaker {
    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// Consecutive failures that open it, at least one. **Default: 5.**
    #[must_use]
    pub const fn failure_threshold(self, failures: u32) -> Self {
        self.with(FAILURE_THRESHOLD, Value::count(failures))
    }

    /// Share of failed calls that opens it, above 0 and at most 1. **Default: none;
    /// `failure_threshold` decides.**
    #[must_use]
    pub const fn failure_rate(self, share: f64) -> Self {
        self.with(FAILURE_RATE, Value::number(share))
    }

    /// Calls or time over which rates are taken: a `u32` or a `Duration`. **Default: 100 calls.**
    ///
    /// At most 65 536 calls, at least a millisecond.
    #[must_use]
    pub fn window(self, window: impl Into<CircuitWindow>) -> Self {
        self.window_of(window.into())
    }

    /// The same as [`window`](Self::window), for a `static`.
    #[must_use]
    pub const fn window_of(self, window: CircuitWindow) -> Self {
        let value = match window {
            CircuitWindow::Calls(calls) => Value::count(calls),
            CircuitWindow::Time(time) => Value::time(time),
        };
        self.with(WINDOW, value)
    }

    /// Calls in the window below which no rate is known, capped by a window of calls.
    /// **Default: 10.**
    #[must_use]
    pub const fn min_calls(self, calls: u32) -> Self {
        self.with(MIN_CALLS, Value::count(calls))
    }

    /// A call that takes longer is slow. **Default: none is.**
    #[must_use]
    pub const fn slow_call(self, longer_than: Duration) -> Self {
        self.with(SLOW_CALL, Value::time(longer_than))
    }

    /// Share of slow calls, failed or not, that opens it. **Default: 0.5.**
    #[must_use]
    pub const fn slow_rate(self, share: f64) -> Self {
        self.with(SLOW_RATE, Value::number(share))
    }

    /// How long it stays open before it tries again. **Default: 30 s.**
    #[must_use]
    pub const fn reset_timeout(self, time: Duration) -> Self {
        self.with(RESET_TIMEOUT, Value::time(time))
    }

    /// Factor by which the open time grows with each recovery that fails, until it closes.
    /// **Default: 1.**
    #[must_use]
    pub const fn reset_factor(self, factor: f64) -> Self {
        self.with(RESET_FACTOR, Value::number(factor))
    }

    /// Longest time it grows to; never shortens `reset_timeout` itself. **Default: 5 min.**
    #[must_use]
    pub const fn max_reset_timeout(self, time: Duration) -> Self {
        self.with(MAX_RESET_TIMEOUT, Value::time(time))
    }

    /// Probes at once while it is half-open, at most 1 024. **Default: 1.**
    #[must_use]
    pub const fn half_open_calls(self, probes: u32) -> Self {
        self.with(HALF_OPEN_CALLS, Value::count(probes))
    }

    /// Probes that have to succeed before it closes. **Default: 2.**
    #[must_use]
    pub const fn success_threshold(self, successes: u32) -> Self {
        self.with(SUCCESS_THRESHOLD, Value::count(successes))
    }

    /// Time after which a running probe loses its place to another call. **Default: the
    /// `reset_timeout`.**
    #[must_use]
    pub const fn half_open_timeout(self, lease: Duration) -> Self {
        self.with(HALF_OPEN_TIMEOUT, Value::time(lease))
    }

    /// Time after closing over which a growing share of the calls passes. **Default: zero; all
    /// pass.**
    #[must_use]
    pub const fn ramp(self, time: Duration) -> Self {
        self.with(RAMP, Value::time(time))
    }

    /// What a call counts as whose future was dropped: `"ignore"` or `"failure"`. **Default:
    /// `"ignore"`.**
    #[must_use]
    pub const fn abandoned(self, counts_as: &'static str) -> Self {
        self.with(ABANDONED, Value::Word(counts_as))
    }

    /// Keys that have a breaker of their own; the others share one. **Default: 1 000.**
    #[must_use]
    pub const fn max_keys(self, keys: u32) -> Self {
        self.with(MAX_KEYS, Value::count(keys))
    }
}
