//! `"100/s"`: how many in what time.

use std::fmt;
use std::time::Duration;

use crate::nanos;

/// Four thousand million in a second: what is faster is no limit.
const FASTEST: u128 = u32::MAX as u128;
const SECOND: u128 = 1_000_000_000;
/// A leap year.
const LONGEST_PERIOD: Duration = Duration::from_secs(366 * 24 * 3_600);

/// A number of permits in a period of time.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::Rate;
///
/// assert_eq!(Rate::per_second(100).to_string(), "100/s");
/// assert_eq!(Rate::new(5, Duration::from_millis(250)).to_string(), "5/250ms");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rate {
    permits: u32,
    /// Of the period, which as a whole would make every key of every policy eight bytes longer.
    nanos: u32,
    seconds: u64,
}

impl Rate {
    /// `permits` in each `period`.
    ///
    /// From one in 366 days to 4 294 967 295 a second; a limit takes what lies outside for the nearest of them.
    #[must_use]
    pub const fn new(permits: u32, period: Duration) -> Self {
        Self { permits, nanos: period.subsec_nanos(), seconds: period.as_secs() }
    }

    /// So many in a second.
    #[must_use]
    pub const fn per_second(permits: u32) -> Self {
        Self::new(permits, Duration::from_secs(1))
    }

    /// So many in a minute.
    #[must_use]
    pub const fn per_minute(permits: u32) -> Self {
        Self::new(permits, Duration::from_secs(60))
    }

    /// So many in an hour.
    #[must_use]
    pub const fn per_hour(permits: u32) -> Self {
        Self::new(permits, Duration::from_secs(3_600))
    }

    /// Permits in a period.
    #[must_use]
    pub const fn permits(self) -> u32 {
        self.permits
    }

    /// The period.
    #[must_use]
    pub const fn period(self) -> Duration {
        Duration::new(self.seconds, self.nanos)
    }

    /// What is wrong with it, as the end of a sentence.
    #[doc(hidden)]
    #[must_use]
    pub const fn fault(self) -> Option<&'static str> {
        if self.permits == 0 {
            Some("has no permits, so it would never let a call through")
        } else if self.period().is_zero() {
            Some("has no time to count in")
        } else if self.period().as_nanos() > LONGEST_PERIOD.as_nanos() {
            Some("counts in more than 366 days, which is the longest")
        } else if self.permits as u128 * SECOND > FASTEST * self.period().as_nanos() {
            Some("is faster than 4294967295 a second, the most")
        } else {
            None
        }
    }

    /// Permits and nanoseconds without a common divisor, of the nearest rate that makes sense.
    #[doc(hidden)]
    #[must_use]
    pub fn reduced(self) -> (u64, u64) {
        let period = nanos(self.period().min(LONGEST_PERIOD)).max(1);
        let most = u64::try_from(FASTEST * u128::from(period) / SECOND).unwrap_or(u64::MAX);
        let permits = u64::from(self.permits).min(most).max(1);
        let divisor = divisor(permits, period);
        (permits / divisor, period / divisor)
    }
}

fn divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// Largest first, with their nanoseconds.
const UNITS: [(&str, u128); 7] = [
    ("d", 24 * 3_600 * SECOND),
    ("h", 3_600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rate({self})")
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = self.period().as_nanos();
        let fitting = UNITS.iter().find(|(_, nanos)| period > 0 && period.is_multiple_of(*nanos));
        match fitting {
            Some((unit, nanos)) if period == *nanos => write!(f, "{}/{unit}", self.permits),
            Some((unit, nanos)) => write!(f, "{}/{}{unit}", self.permits, period / nanos),
            None => write!(f, "{}/0s", self.permits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Value;

    #[test]
    fn a_rate_makes_no_value_longer() {
        assert_eq!(size_of::<Option<Value>>(), 24);
    }

    #[test]
    fn a_rate_reads_as_it_is_written() {
        for (rate, text) in [
            (Rate::per_second(100), "100/s"),
            (Rate::per_minute(7), "7/m"),
            (Rate::new(5, Duration::from_millis(250)), "5/250ms"),
            (Rate::new(1, Duration::from_secs(365 * 24 * 3_600)), "1/365d"),
            (Rate::new(15, Duration::from_secs(90)), "15/90s"),
            (Rate::new(0, Duration::ZERO), "0/0s"),
        ] {
            assert_eq!(rate.to_string(), text);
        }
    }

    #[test]
    fn what_makes_no_sense_is_the_nearest_that_does() {
        let year = u64::try_from(LONGEST_PERIOD.as_nanos()).expect("fits");
        for (rate, reduced) in [
            (Rate::new(0, Duration::ZERO), (1, 1)),
            (Rate::new(u32::MAX, Duration::ZERO), (4, 1)),
            (Rate::new(1, Duration::MAX), (1, year)),
            (Rate::new(u32::MAX, Duration::from_secs(1)), (858_993_459, 200_000_000)),
            (Rate::new(10, Duration::from_nanos(1)), (4, 1)),
        ] {
            assert_eq!(rate.reduced(), reduced, "{rate}");
            assert_eq!(rate.fault().is_some(), rate.permits() != u32::MAX || rate.period().is_zero());
        }
    }
}
