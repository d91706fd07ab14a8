//! The settings of a breaker with every default filled in and every value in range.

use std::time::Duration;

use resilient_settings::stem::{circuit_breaker as slot, observes};
use resilient_settings::{Backoff, Jitter, Schedule, Value, Written};

use super::phase::Hand;
use super::window::{CircuitWindow, Sum};
#[cfg(feature = "health")]
use crate::health::{NO_CHECK, Readiness};

/// No time a breaker waits or looks back over is shorter.
const LEAST: Duration = Duration::from_millis(1);

const FAILURE_THRESHOLD: u32 = 5;
const MIN_CALLS: u32 = 10;
const SLOW_RATE: f64 = 0.5;
const RESET_TIMEOUT: Duration = Duration::from_secs(30);
const MAX_RESET_TIMEOUT: Duration = Duration::from_secs(300);
const SUCCESS_THRESHOLD: u32 = 2;
const MAX_KEYS: usize = 1_000;

/// What the machine goes by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    /// Consecutive failures that open, unless a failure rate decides.
    pub(super) failure_threshold: Option<u32>,
    pub(super) rates: Option<Rates>,
    /// Strictly longer is slow.
    pub(super) slow_call: Option<Duration>,
    pub(super) reset_timeout: Duration,
    pub(super) reset_factor: f64,
    pub(super) max_reset_timeout: Duration,
    pub(super) half_open_calls: u32,
    pub(super) success_threshold: u32,
    pub(super) half_open_timeout: Duration,
    pub(super) ramp: Option<Duration>,
    pub(super) abandoned_fails: bool,
    /// Keys that may have a breaker of their own.
    pub(super) max_keys: usize,
    /// What holds while nothing is done by hand.
    pub(super) hand: Hand,
    /// The health check that it heeds.
    #[cfg(feature = "health")]
    pub(super) health: Option<&'static str>,
    #[cfg(feature = "health")]
    pub(super) readiness: Readiness,
}

/// Shares of the calls in a window that open the breaker once there are `min_calls`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    pub(super) window: CircuitWindow,
    pub(super) min_calls: u32,
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_rate: Option<f64>,
}

impl Rates {
    /// Whether there are enough calls to tell.
    pub(super) fn are_known(&self, sum: Sum) -> bool {
        sum.calls >= u64::from(self.min_calls.max(1))
    }
}

impl Limits {
    /// Fills in the defaults, and takes the nearest value that makes sense for any that does not.
    pub(super) fn new(written: &Written) -> Self {
        let slow_call = time(written, slot::SLOW_CALL);
        let failure_rate = ratio(written, slot::FAILURE_RATE);
        let slow_rate = slow_call.map(|_| ratio(written, slot::SLOW_RATE).unwrap_or(SLOW_RATE));
        let threshold = count(written, slot::FAILURE_THRESHOLD);
        let decides_by_rate = failure_rate.is_some() && threshold.is_none();
        let failure_rate = failure_rate.filter(|_| decides_by_rate);
        let rates = (failure_rate.is_some() || slow_rate.is_some()).then(|| {
            let window = window(written);
            let most = if let CircuitWindow::Calls(calls) = window { calls } else { u32::MAX };
            let min_calls = count(written, slot::MIN_CALLS).unwrap_or(MIN_CALLS).min(most);
            Rates { window, min_calls, failure_rate, slow_rate }
        });
        let reset_timeout = time(written, slot::RESET_TIMEOUT).unwrap_or(RESET_TIMEOUT);
        Self {
            failure_threshold: (!decides_by_rate).then_some(threshold.unwrap_or(FAILURE_THRESHOLD)),
            rates,
            slow_call,
            reset_timeout,
            reset_factor: written.number(slot::RESET_FACTOR).filter(|factor| *factor > 1.0).unwrap_or(1.0),
            max_reset_timeout: time(written, slot::MAX_RESET_TIMEOUT).unwrap_or(MAX_RESET_TIMEOUT),
            half_open_calls: count(written, slot::HALF_OPEN_CALLS).unwrap_or(1).min(slot::MOST_PROBES),
            success_threshold: count(written, slot::SUCCESS_THRESHOLD).unwrap_or(SUCCESS_THRESHOLD),
            half_open_timeout: time(written, slot::HALF_OPEN_TIMEOUT).unwrap_or(reset_timeout),
            ramp: written.time(slot::RAMP).filter(|ramp| !ramp.is_zero()),
            abandoned_fails: written.word(slot::ABANDONED) == Some("failure"),
            max_keys: count(written, slot::MAX_KEYS).map_or(MAX_KEYS, |keys| keys as usize),
            hand: match written.is_on(slot::ENABLED) {
                false => Hand::Disabled,
                true if observes(written, slot::MODE) => Hand::Observing,
                true => Hand::Off,
            },
            #[cfg(feature = "health")]
            health: written.word(slot::HEALTH).filter(|name| *name != NO_CHECK),
            #[cfg(feature = "health")]
            readiness: Readiness::of(written, slot::READINESS),
        }
    }

    /// How long the breaker stays open after `reopened` failed recoveries in a row.
    pub(super) fn open_for(&self, reopened: u32) -> Duration {
        let schedule = Schedule {
            backoff: Backoff::Exponential,
            base: self.reset_timeout,
            factor: self.reset_factor,
            max_delay: self.max_reset_timeout.max(self.reset_timeout),
            jitter: Jitter::None,
        };
        schedule.nominal(reopened)
    }
}

fn count(written: &Written, key: usize) -> Option<u32> {
    written.count(key).map(clamped)
}

fn clamped(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX).max(1)
}

fn time(written: &Written, key: usize) -> Option<Duration> {
    written.time(key).map(|time| time.max(LEAST))
}

fn ratio(written: &Written, key: usize) -> Option<f64> {
    // What is not a number opens as late as possible; nothing or less as soon as something fails.
    written.number(key).map(|ratio| if ratio.is_nan() { 1.0 } else { ratio.clamp(f64::MIN_POSITIVE, 1.0) })
}

fn window(written: &Written) -> CircuitWindow {
    match written.get(slot::WINDOW) {
        Some(Value::Count(calls)) => CircuitWindow::Calls(clamped(calls).min(slot::MOST_CALLS)),
        Some(Value::Time(time)) => CircuitWindow::Time(time.max(LEAST)),
        _ => CircuitWindow::Calls(slot::WINDOW_CALLS),
    }
}

#[cfg(test)]
impl Limits {
    pub(super) const DEFAULT: Self = Self {
        failure_threshold: Some(5),
        rates: None,
        slow_call: None,
        reset_timeout: Duration::from_secs(30),
        reset_factor: 1.0,
        max_reset_timeout: Duration::from_secs(300),
        half_open_calls: 1,
        success_threshold: 2,
        half_open_timeout: Duration::from_secs(30),
        ramp: None,
        abandoned_fails: false,
        max_keys: 1_000,
        hand: Hand::Off,
        #[cfg(feature = "health")]
        health: None,
        #[cfg(feature = "health")]
        readiness: Readiness::Ignore,
    };
}

#[cfg(test)]
mod tests {
    use super::super::CircuitBreaker;
    use super::*;

    fn of(breaker: &CircuitBreaker) -> Limits {
        Limits::new(&breaker.written)
    }

    const fn plain() -> CircuitBreaker {
        CircuitBreaker::new("payments")
    }

    #[test]
    fn nothing_written_means_the_documented_defaults() {
        assert_eq!(of(&plain()), Limits::DEFAULT);
        let table = &resilient_settings::stem::circuit_breaker::TABLE;
        assert_eq!(Limits::new(&resilient_settings::defaults(table)), Limits::DEFAULT, "as told");
    }

    #[test]
    fn a_failure_rate_takes_the_place_of_the_threshold() {
        let limits = of(&plain().failure_rate(0.5));
        let window = CircuitWindow::Calls(100);
        let rates = Rates { window, min_calls: 10, failure_rate: Some(0.5), slow_rate: None };
        assert_eq!((limits.failure_threshold, limits.rates), (None, Some(rates)));
    }

    #[test]
    fn slow_calls_stand_beside_the_threshold() {
        let limits = of(&plain().slow_call(Duration::from_secs(1)));
        assert_eq!(limits.failure_threshold, Some(5));
        assert_eq!(limits.rates.and_then(|rates| rates.slow_rate), Some(0.5));
    }

    #[test]
    fn a_window_of_calls_caps_the_minimum() {
        let limits = of(&plain().failure_rate(0.5).window(4).min_calls(20));
        assert_eq!(limits.rates.map(|rates| rates.min_calls), Some(4));
        let limits = of(&plain().failure_rate(0.5).window(Duration::from_secs(1)).min_calls(20));
        assert_eq!(limits.rates.map(|rates| rates.min_calls), Some(20));
    }

    #[test]
    fn a_window_is_of_calls_or_of_time_as_written() {
        for window in [CircuitWindow::Calls(7), CircuitWindow::Time(Duration::from_secs(7))] {
            let limits = of(&plain().failure_rate(0.5).window_of(window));
            assert_eq!(limits.rates.map(|rates| rates.window), Some(window));
        }
    }

    #[test]
    fn the_lease_follows_the_open_time() {
        let limits = of(&plain().reset_timeout(Duration::from_secs(7)));
        assert_eq!(limits.half_open_timeout, Duration::from_secs(7));
    }

    #[test]
    fn nonsense_becomes_the_nearest_sense() {
        let zero = plain()
            .failure_threshold(0)
            .slow_call(Duration::ZERO)
            .slow_rate(f64::NAN)
            .window(0)
            .min_calls(0)
            .reset_timeout(Duration::ZERO)
            .reset_factor(f64::NAN)
            .max_reset_timeout(Duration::ZERO)
            .half_open_calls(0)
            .success_threshold(0)
            .half_open_timeout(Duration::ZERO)
            .ramp(Duration::ZERO);
        let limits = of(&zero);
        let rates =
            Rates { window: CircuitWindow::Calls(1), min_calls: 1, failure_rate: None, slow_rate: Some(1.0) };
        let expected = Limits {
            failure_threshold: Some(1),
            rates: Some(rates),
            slow_call: Some(LEAST),
            reset_timeout: LEAST,
            reset_factor: 1.0,
            max_reset_timeout: LEAST,
            half_open_calls: 1,
            success_threshold: 1,
            half_open_timeout: LEAST,
            ramp: None,
            abandoned_fails: false,
            max_keys: 1_000,
            hand: Hand::Off,
            #[cfg(feature = "health")]
            health: None,
            #[cfg(feature = "health")]
            readiness: Readiness::Ignore,
        };
        assert_eq!(limits, expected);
        assert_eq!(
            of(&plain().failure_rate(-1.0)).rates.and_then(|rates| rates.failure_rate),
            Some(f64::MIN_POSITIVE)
        );
        assert_eq!(of(&plain().failure_rate(7.0)).rates.and_then(|rates| rates.failure_rate), Some(1.0));
    }

    #[test]
    fn the_open_time_grows_up_to_its_cap() {
        let limits = Limits { reset_factor: 2.0, ..Limits::DEFAULT };
        let seconds = |reopened| limits.open_for(reopened).as_secs();
        assert_eq!([0, 1, 2, 3, 4, u32::MAX].map(seconds), [30, 60, 120, 240, 300, 300]);
    }

    #[test]
    fn a_factor_of_one_leaves_the_open_time_alone() {
        assert_eq!(Limits::DEFAULT.open_for(9), Duration::from_secs(30));
    }

    #[test]
    fn the_cap_never_shortens_the_base() {
        let base = Duration::from_secs(3_600);
        let limits = Limits { reset_timeout: base, reset_factor: 2.0, ..Limits::DEFAULT };
        assert_eq!(limits.open_for(3), base);
    }

    #[test]
    fn endless_times_do_not_overflow() {
        let limits = Limits {
            reset_timeout: Duration::MAX,
            reset_factor: f64::MAX,
            max_reset_timeout: Duration::MAX,
            ..Limits::DEFAULT
        };
        assert_eq!(limits.open_for(u32::MAX), Duration::MAX);
    }
}
