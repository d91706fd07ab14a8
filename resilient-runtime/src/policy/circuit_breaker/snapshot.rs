//! What a breaker tells about itself.

use std::time::Duration;

use super::engine::{ABANDONED, Engine, FAILED, IGNORED, PANICKED, REJECTED, SLOW, SUCCEEDED, WOULD_REJECT};
use super::history::CircuitChange;
use super::phase::Hand;
use super::{CircuitBreaker, CircuitState};
use crate::outcome::Class;
use crate::tally::{Since, Tally};

/// Statistics of a circuit breaker.
///
/// Those of a breaker with keys hold the calls of all of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CircuitBreakerSnapshot {
    /// Name of the breaker.
    pub name: &'static str,
    /// Whether it is meant to do anything, whatever was done by hand.
    pub enabled: bool,
    /// What it is doing.
    pub state: CircuitState,
    /// What it would be doing if it did not only observe.
    pub would_be: CircuitState,
    /// Time since it began to.
    pub time_in_state: Duration,
    /// Time until the next call may pass, where it is known.
    pub retry_after: Option<Duration>,
    /// Calls that succeeded, or got the answer of a healthy dependency.
    pub succeeded: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls that say nothing about the dependency.
    pub ignored: u64,
    /// Calls whose future was dropped.
    pub abandoned: u64,
    /// Calls that panicked.
    pub panicked: u64,
    /// Of all these, calls that took longer than `slow_call`.
    pub slow: u64,
    /// Calls that were refused.
    pub rejected: u64,
    /// Calls that would have been refused if it did not only observe.
    pub would_reject: u64,
    /// Share of failures in the window, unless it holds too few calls.
    ///
    /// Without a window there is none.
    pub failure_rate: Option<f64>,
    /// Share of slow calls in the window, unless it holds too few calls.
    ///
    /// Without a window there is none.
    pub slow_rate: Option<f64>,
    /// Class of the last error that counted as a failure.
    pub last_error: Option<Class>,
    /// Calls in the window, unless there is none.
    pub window_calls: Option<u64>,
    /// Of these, failures.
    pub window_failed: Option<u64>,
    /// Keys that have a breaker of their own.
    pub keys: usize,
    /// What the breakers of these keys are doing, and how many do.
    pub keys_in: Vec<(CircuitState, usize)>,
    /// How often it went from one state to another since the first day.
    pub changes: Vec<CircuitChange>,
    /// How long it was in each state since the first day.
    pub time_in: Vec<(CircuitState, Duration)>,
    /// The health check that fails and holds it open.
    ///
    /// Something done by hand may hide that.
    #[cfg(feature = "health")]
    pub held_by: Option<&'static str>,
}

impl CircuitBreakerSnapshot {
    fn of(engine: &Engine) -> Self {
        let (report, last_error) = engine.report();
        let limits = engine.limits();
        let window = limits.rates.map(|_| report.figures);
        Self {
            name: engine.name,
            enabled: limits.hand != Hand::Disabled,
            state: report.state,
            would_be: report.would_be,
            time_in_state: report.time_in_state,
            retry_after: report.retry_after,
            succeeded: 0,
            failed: 0,
            ignored: 0,
            abandoned: 0,
            panicked: 0,
            slow: 0,
            rejected: 0,
            would_reject: 0,
            failure_rate: report.figures.failure_rate,
            slow_rate: report.figures.slow_rate,
            last_error,
            window_calls: window.map(|figures| figures.calls),
            window_failed: window.map(|figures| figures.failures),
            keys: 0,
            keys_in: Vec::new(),
            changes: Vec::new(),
            time_in: CircuitState::ALL.into_iter().zip(engine.time_in()).collect(),
            #[cfg(feature = "health")]
            held_by: engine.limits().health.filter(|_| engine.is_held_open()),
        }
    }

    fn add(&mut self, engine: &Engine, count: Since) {
        self.succeeded += engine.count(count, SUCCEEDED);
        self.failed += engine.count(count, FAILED);
        self.ignored += engine.count(count, IGNORED);
        self.abandoned += engine.count(count, ABANDONED);
        self.panicked += engine.count(count, PANICKED);
        self.slow += engine.count(count, SLOW);
        self.rejected += engine.count(count, REJECTED);
        self.would_reject += engine.count(count, WOULD_REJECT);
        engine.changes().into_iter().for_each(|change| change.add_to(&mut self.changes));
    }

    fn add_key(&mut self, engine: &Engine, count: Since) {
        self.add(engine, count);
        // The breaker that keys without a place share is nobody's own.
        if engine.key.is_none() {
            return;
        }
        let state = engine.report().0.state;
        match self.keys_in.iter_mut().find(|(known, _)| *known == state) {
            Some((_, keys)) => *keys += 1,
            None => self.keys_in.push((state, 1)),
        }
    }
}

impl CircuitBreaker {
    /// Its statistics as of now.
    #[must_use]
    pub fn snapshot(&self) -> CircuitBreakerSnapshot {
        self.count(Tally::total)
    }

    pub(super) fn count(&self, count: Since) -> CircuitBreakerSnapshot {
        let engine = self.engine();
        let mut snapshot = CircuitBreakerSnapshot::of(engine);
        snapshot.add(engine, count);
        if let Some(keys) = self.keys.get() {
            snapshot.keys = keys.len();
            keys.for_each(|engine| snapshot.add_key(engine, count));
        }
        snapshot
    }
}
