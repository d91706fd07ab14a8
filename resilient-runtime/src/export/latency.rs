//! How long the calls of guarded functions took, where that is measured.

use super::{Buckets, Family, Kind, Sample, Unit, Value};
use crate::registry::Registry;
use crate::watch::{CallOutcome, Latency, LatencySnapshot};

/// One histogram for each way in which calls of a function ended.
pub(super) fn durations(registry: Registry) -> Family {
    Family {
        name: "call.duration",
        help: "Time that calls of guarded functions took.",
        kind: Kind::Histogram,
        unit: Unit::Seconds,
        samples: samples(registry, |latency, labels| {
            vec![Sample { labels, value: Value::Buckets(Buckets::of(latency)) }]
        }),
    }
}

/// How many there were, for who cannot be handed a histogram.
#[cfg(any(feature = "metrics", feature = "otel"))]
pub(super) fn calls(registry: Registry) -> Family {
    Family {
        name: "calls",
        help: "Calls of guarded functions whose time is measured.",
        kind: Kind::Counter,
        unit: Unit::Count,
        samples: samples(registry, |latency, labels| {
            vec![Sample { labels, value: Value::Whole(latency.count()) }]
        }),
    }
}

/// How long they took, for who cannot be handed a histogram.
#[cfg(any(feature = "metrics", feature = "otel"))]
pub(super) fn quantiles(registry: Registry) -> Family {
    const QUANTILES: [(&str, f64); 4] = [("0.5", 0.5), ("0.9", 0.9), ("0.99", 0.99), ("1", 1.0)];
    Family {
        name: "call.duration",
        help: "Time that a share of the calls of guarded functions took at most.",
        kind: Kind::Gauge,
        unit: Unit::Seconds,
        samples: samples(registry, |latency, labels| {
            let told = QUANTILES.iter().filter_map(|(word, share)| {
                let time = latency.quantile(*share)?;
                Some(Sample { labels: [&labels[..], &[("quantile", *word)]].concat(), value: time.into() })
            });
            told.collect()
        }),
    }
}

fn samples(
    registry: Registry,
    read: impl Fn(&Latency, Vec<(&'static str, &'static str)>) -> Vec<Sample>,
) -> Vec<Sample> {
    let mut all = Vec::new();
    for latencies in registry.latencies() {
        for outcome in CallOutcome::ALL {
            let latency = latencies.of(outcome);
            if latency.count() > 0 {
                let labels = vec![("function", latencies.function), ("outcome", outcome.as_str())];
                all.extend(read(latency, labels));
            }
        }
    }
    all
}

impl Buckets {
    fn of(latency: &Latency) -> Self {
        let mut below = 0;
        let within = |bound| {
            let calls = latency.at_most(bound);
            (bound.as_secs_f64(), calls - std::mem::replace(&mut below, calls))
        };
        let mut counts: Vec<_> = LatencySnapshot::BOUNDS.into_iter().map(within).collect();
        counts.push((f64::INFINITY, latency.count() - below));
        Self { counts, sum: latency.sum().as_secs_f64() }
    }
}
