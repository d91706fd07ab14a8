//! Figures of all policies, for what watches a program.
//!
//! Policies count for themselves; an exporter reads what they counted when somebody asks. Nothing of it is on
//! the path of a call.
//!
//! - `metrics`: counters and gauges of the `metrics` facade.
//! - `otel`: observable instruments on a meter of OpenTelemetry.
//! - `prometheus`: a collector for a registry of `prometheus-client`, and the text of a scrape.
//! - [`families`] is what all of them read, for an exporter of one's own.
//!
//! All figures of a policy or a health check have its name as the label `name`, those of a guarded function its
//! path as `function`. The values of the other labels are closed sets: no key, no argument and no error text ever
//! becomes one. Units are seconds, ratios are from 0 to 1 and left
//! out where there is nothing to divide by. Counters only grow: they count since the first day, whatever was
//! reset since.
//!
//! Every policy of an annotated function is there from the first reading on, whether it was called or not.

#[cfg(feature = "latency")]
mod latency;
#[cfg(feature = "metrics")]
pub mod metrics;
#[cfg(feature = "otel")]
pub mod otel;
#[cfg(feature = "prometheus")]
pub mod prometheus;
mod table;
mod told;

use self::table::Row;
pub(crate) use self::told::Told;
use crate::registry::Registry;
use crate::tally::Tally;

/// One figure of all that have it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Family {
    /// Its name with dots between words, the kind of policy first.
    ///
    /// `"circuit_breaker.state"` is both a gauge and a counter of seconds.
    pub name: &'static str,
    /// What it tells, in one sentence.
    pub help: &'static str,
    /// Whether it counts or goes up and down.
    pub kind: Kind,
    /// What its values are measured in.
    pub unit: Unit,
    /// Its values, by policy and label.
    pub samples: Vec<Sample>,
}

/// Whether a figure counts or goes up and down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by size.
    Histogram,
}

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// A number of things.
    Count,
    /// A share, from 0 to 1.
    Ratio,
    /// Seconds.
    Seconds,
}

/// One value of a figure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// Labels and their values, what it is of first.
    ///
    /// That is the `name` of a policy or check, or the `function`.
    pub labels: Vec<(&'static str, &'static str)>,
    /// The value, as of now.
    pub value: Value,
}

/// The value of a sample.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// Of a counter or gauge whose unit is [`Unit::Count`].
    Whole(u64),
    /// Of any other counter or gauge.
    Real(f64),
    /// Of a histogram.
    Buckets(Buckets),
}

/// Things counted by size.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Buckets {
    /// Upper bounds, each with how many lie between the one before and it.
    ///
    /// What equals a bound counts there. The last bound is infinite.
    pub counts: Vec<(f64, u64)>,
    /// All sizes together.
    pub sum: f64,
}

impl Value {
    fn raise_to(&mut self, least: &Self) {
        match (self, least) {
            (Self::Whole(value), Self::Whole(least)) => *value = (*value).max(*least),
            (Self::Real(value), Self::Real(least)) => *value = value.max(*least),
            _ => {}
        }
    }
}

impl Family {
    fn of(row: &'static Row, samples: Vec<Sample>) -> Self {
        let Row { name, help, kind, unit, .. } = *row;
        Self { name, help, kind, unit, samples }
    }

    /// The one family of `row`.
    #[cfg(feature = "otel")]
    fn read(row: &'static Row, registry: Registry) -> Self {
        let mut family = Self::of(row, row.read(registry));
        registry.0.told.never_less(std::slice::from_mut(&mut family));
        family
    }
}

/// The figures of all policies as of now, but for those without a value.
///
/// ```
/// use resilient_runtime::{export, registry, timeout};
///
/// #[timeout("2s", name = "quotes")]
/// async fn quote() -> std::io::Result<u32> {
///     Ok(42)
/// }
///
/// for family in export::families(registry()) {
///     for sample in family.samples {
///         println!("{} {:?} {:?}", family.name, sample.labels, sample.value);
///     }
/// }
/// ```
#[must_use]
pub fn families(registry: Registry) -> Vec<Family> {
    let snapshots = registry.count(Tally::sum);
    let families = table::rows().map(|row| Family::of(row, row.read_from(registry, &snapshots)));
    let mut families: Vec<_> = families.filter(|family| !family.samples.is_empty()).collect();
    registry.0.told.never_less(&mut families);
    #[cfg(feature = "latency")]
    families.extend(Some(latency::durations(registry)).filter(|family| !family.samples.is_empty()));
    families
}
