//! Reports as serde writes them.

use std::time::Duration;

use serde_core::ser::{Serialize, SerializeMap, Serializer};

use super::check::{CheckFailure, HealthCheckSnapshot};
use super::report::HealthReport;
use crate::outcome::Class;

/// A number that is whole where it can be: 30 seconds are `30`.
#[derive(Clone, Copy)]
pub(super) struct Number(pub(super) f64);

impl Number {
    /// Up to here every whole number has a value of its own.
    const WHOLE: f64 = 9_007_199_254_740_992.0;
}

impl Serialize for Number {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "whole, and within what both hold"
    )]
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(number) = *self;
        if number.fract() == 0.0 && (0.0..Self::WHOLE).contains(&number) {
            serializer.serialize_u64(number as u64)
        } else {
            serializer.serialize_f64(number)
        }
    }
}

pub(super) fn seconds(time: Duration) -> Number {
    Number(time.as_secs_f64())
}

pub(super) fn counts<M: SerializeMap, const N: usize>(
    map: &mut M,
    counts: [(&str, u64); N],
) -> Result<(), M::Error> {
    counts.into_iter().try_for_each(|(key, count)| map.serialize_entry(key, &count))
}

impl Serialize for HealthReport {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut report = serializer.serialize_map(None)?;
        report.serialize_entry("status", self.status.as_str())?;
        report.serialize_entry("checks", &self.checks)?;
        report.serialize_entry("policies", &self.policies)?;
        report.end()
    }
}

impl Serialize for HealthCheckSnapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut check = serializer.serialize_map(None)?;
        check.serialize_entry("name", self.name)?;
        check.serialize_entry("status", self.status.as_str())?;
        check.serialize_entry("critical", &self.critical)?;
        check.serialize_entry("running", &self.running)?;
        check.serialize_entry("failure", &self.failure.map(CheckFailure::as_str))?;
        check
            .serialize_entry("error_class", &self.failure.and_then(CheckFailure::class).map(Class::as_str))?;
        check.serialize_entry("time_in_status", &self.time_in_status.map(seconds))?;
        check.serialize_entry("age", &self.age.map(seconds))?;
        check.serialize_entry("took", &self.took.map(seconds))?;
        check.serialize_entry("interval", &seconds(self.interval))?;
        check.serialize_entry("timeout", &seconds(self.timeout))?;
        counts(&mut check, [("passed", self.passed), ("failed", self.failed)])?;
        counts(&mut check, [("timed_out", self.timed_out), ("panicked", self.panicked)])?;
        check.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_whole_where_it_can_be() {
        let numbers = [0.0, 30.0, 1.5, -1.0, 1e300, f64::INFINITY, f64::NAN].map(Number);
        let text = serde_json::to_string(&numbers).unwrap_or_default();
        assert_eq!(text, "[0,30,1.5,-1.0,1e+300,null,null]");
    }
}
