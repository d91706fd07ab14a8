//! The settings of a breaker with every default filled in and every value in range.

use std::time::Duration;

use super::window::CircuitWindow;

/// No time a breaker waits or looks back over is shorter.
pub(super) const LEAST: Duration = Duration::from_millis(1);
/// No window of calls is longer: it takes a quarter of a byte for each.
pub(super) const MOST_CALLS: u32 = 65_536;
/// No more probes run at once.
pub(super) const MOST_PROBES: u32 = 1_024;

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
}

/// Shares of the calls in a window that open the breaker once there are `min_calls`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rates {
    pub(super) window: CircuitWindow,
    pub(super) min_calls: u32,
    pub(super) failure_rate: Option<f64>,
    pub(super) slow_rate: Option<f64>,
}

impl Limits {
    /// How long the breaker stays open after `reopened` failed recoveries in a row.
    pub(super) fn open_for(&self, reopened: u32) -> Duration {
        let base = self.reset_timeout;
        if reopened == 0 || self.reset_factor <= 1.0 {
            return base;
        }
        let exponent = i32::try_from(reopened).unwrap_or(i32::MAX);
        let seconds = base.as_secs_f64() * self.reset_factor.powi(exponent);
        let most = self.max_reset_timeout.max(base);
        Duration::try_from_secs_f64(seconds).map_or(most, |grown| grown.min(most))
    }
}

#[cfg(test)]
impl Limits {
    /// The documented defaults.
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
    };
}

#[cfg(test)]
mod tests {
    use super::*;

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
