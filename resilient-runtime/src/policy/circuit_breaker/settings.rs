//! The keys of a breaker: as a table, and as setters.

use std::time::Duration;

use resilient_settings::Value;
use resilient_settings::stem::circuit_breaker as slot;

use super::{CircuitBreaker, CircuitWindow};
#[cfg(feature = "health")]
use crate::health::Readiness;
use crate::policy::Mode;

impl CircuitBreaker {
    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// Consecutive failures that open it, at least one. **Default: 5.**
    #[must_use]
    pub const fn failure_threshold(self, failures: u32) -> Self {
        self.with(slot::FAILURE_THRESHOLD, Value::count(failures))
    }

    /// Share of failed calls that opens it, above 0 and at most 1. **Default: none;
    /// `failure_threshold` decides.**
    #[must_use]
    pub const fn failure_rate(self, share: f64) -> Self {
        self.with(slot::FAILURE_RATE, Value::number(share))
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
        self.with(slot::WINDOW, value)
    }

    /// Calls in the window below which no rate is known. It is capped by a window of calls. **Default: 10.**
    #[must_use]
    pub const fn min_calls(self, calls: u32) -> Self {
        self.with(slot::MIN_CALLS, Value::count(calls))
    }

    /// A call that takes longer is slow. **Default: none is.**
    #[must_use]
    pub const fn slow_call(self, longer_than: Duration) -> Self {
        self.with(slot::SLOW_CALL, Value::time(longer_than))
    }

    /// Share of slow calls, failed or not, that opens it. **Default: 0.5.**
    #[must_use]
    pub const fn slow_rate(self, share: f64) -> Self {
        self.with(slot::SLOW_RATE, Value::number(share))
    }

    /// How long it stays open before it tries again. **Default: 30 s.**
    ///
    /// Changed while it is open, it holds from the next time on.
    #[must_use]
    pub const fn reset_timeout(self, time: Duration) -> Self {
        self.with(slot::RESET_TIMEOUT, Value::time(time))
    }

    /// Factor by which each failed recovery lengthens the open time, until it closes. **Default: 1.**
    #[must_use]
    pub const fn reset_factor(self, factor: f64) -> Self {
        self.with(slot::RESET_FACTOR, Value::number(factor))
    }

    /// Longest time it grows to; never shortens `reset_timeout` itself. **Default: 5 min.**
    #[must_use]
    pub const fn max_reset_timeout(self, time: Duration) -> Self {
        self.with(slot::MAX_RESET_TIMEOUT, Value::time(time))
    }

    /// Probes at once while it is half-open, at most 1 024. **Default: 1.**
    #[must_use]
    pub const fn half_open_calls(self, probes: u32) -> Self {
        self.with(slot::HALF_OPEN_CALLS, Value::count(probes))
    }

    /// Probes that have to succeed before it closes. **Default: 2.**
    #[must_use]
    pub const fn success_threshold(self, successes: u32) -> Self {
        self.with(slot::SUCCESS_THRESHOLD, Value::count(successes))
    }

    /// Time after which a running probe loses its place to another call. **Default: the
    /// `reset_timeout`.**
    #[must_use]
    pub const fn half_open_timeout(self, lease: Duration) -> Self {
        self.with(slot::HALF_OPEN_TIMEOUT, Value::time(lease))
    }

    /// Time after closing over which a growing share of the calls passes. **Default: zero; all
    /// pass.**
    #[must_use]
    pub const fn ramp(self, time: Duration) -> Self {
        self.with(slot::RAMP, Value::time(time))
    }

    /// What a call counts as whose future was dropped: `"ignore"` or `"failure"`. **Default:
    /// `"ignore"`.**
    #[must_use]
    pub const fn abandoned(self, counts_as: &'static str) -> Self {
        self.with(slot::ABANDONED, Value::Word(counts_as))
    }

    /// Whether it does anything; otherwise all calls pass and none is counted. **Default: true.**
    ///
    /// What is done by hand goes before this, until it is [resumed](Self::resume) or [reset](Self::reset).
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// The health check that holds it open while it fails, or `"none"`. **Default: `"none"`.**
    ///
    /// When the check passes again, the breaker lets calls try. One that was opened by its own calls need not wait
    /// for its `reset_timeout` then, unless a call has failed that tried. What is done by hand goes before that, and
    /// without a recent run of the check the breaker is as any other. A breaker made by hand heeds no check.
    #[cfg(feature = "health")]
    #[must_use]
    pub const fn health(self, check: &'static str) -> Self {
        self.with(slot::HEALTH, Value::Word(check))
    }

    /// What it means for the program that it is open. **Default: nothing.**
    ///
    /// [`health`](crate::health()) knows of no breaker made by hand.
    #[cfg(feature = "health")]
    #[must_use]
    pub const fn readiness(self, readiness: Readiness) -> Self {
        self.with(slot::READINESS, Value::Word(readiness.as_str()))
    }

    /// Whether it refuses calls, or only observes. **Default: [`Mode::Enforce`].**
    ///
    /// What is done by hand goes before this, as before [`enabled`](Self::enabled).
    #[must_use]
    pub const fn mode(self, mode: Mode) -> Self {
        self.with(slot::MODE, mode.value())
    }

    /// Keys that have a breaker of their own; the others share one. **Default: 1 000.**
    #[must_use]
    pub const fn max_keys(self, keys: u32) -> Self {
        self.with(slot::MAX_KEYS, Value::count(keys))
    }
}
