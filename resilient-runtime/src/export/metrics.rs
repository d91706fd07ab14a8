//! For the `metrics` facade: its counters and gauges, set whenever somebody says so.
//!
//! ```
//! use std::time::Duration;
//! use resilient_runtime::{export::metrics, registry};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // After the recorder is installed:
//! tokio::spawn(async {
//!     let mut ticks = tokio::time::interval(Duration::from_secs(5));
//!     loop {
//!         ticks.tick().await;
//!         metrics::publish(registry());
//!     }
//! });
//! # }
//! ```
//!
//! Names are those that [Prometheus](super) users know: `resilient_circuit_breaker_state`,
//! `resilient_retry_calls_total`, `resilient_hedge_after_seconds`.

use metrics::{Key, Label, Level, Metadata, Recorder, Unit as Measure, with_recorder};

use super::{Family, Kind, Unit, Value, families};
use crate::registry::Registry;

const METADATA: Metadata<'_> = Metadata::new("resilient", Level::INFO, Some(module_path!()));

/// Describes and sets all figures of `registry` in the recorder of this thread.
///
/// Nothing is kept from one time to the next, so it does not matter when a recorder is installed; while there is
/// none, nothing happens. Counters of the facade are whole numbers, so seconds that add up lose their fraction;
/// its histograms take one value at a time, so how long calls took stands in a gauge for each quantile.
pub fn publish(registry: Registry) {
    let families = families(registry).into_iter();
    #[cfg(feature = "latency")]
    let families = families.chain([super::latency::calls(registry), super::latency::quantiles(registry)]);
    let families: Vec<_> = families.filter(|family| family.kind != Kind::Histogram).collect();
    with_recorder(|recorder| families.iter().for_each(|family| set(family, recorder)));
}

fn set(family: &Family, recorder: &dyn Recorder) {
    let name = name(family);
    let unit = match family.unit {
        Unit::Count | Unit::Ratio => Measure::Count,
        Unit::Seconds => Measure::Seconds,
    };
    match family.kind {
        Kind::Counter => recorder.describe_counter(name.clone().into(), Some(unit), family.help.into()),
        _ => recorder.describe_gauge(name.clone().into(), Some(unit), family.help.into()),
    }
    for sample in &family.samples {
        let labels: Vec<_> =
            sample.labels.iter().map(|(label, value)| Label::from_static_parts(label, value)).collect();
        let key = Key::from_parts(name.clone(), labels);
        match family.kind {
            Kind::Counter => recorder.register_counter(&key, &METADATA).absolute(whole(&sample.value)),
            _ => recorder.register_gauge(&key, &METADATA).set(real(&sample.value)),
        }
    }
}

fn name(family: &Family) -> String {
    let unit = if family.unit == Unit::Seconds { "_seconds" } else { "" };
    let total = if family.kind == Kind::Counter { "_total" } else { "" };
    format!("resilient_{}{unit}{total}", family.name.replace('.', "_"))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds that were spent are no fewer than none"
)]
const fn whole(value: &Value) -> u64 {
    match value {
        Value::Whole(n) => *n,
        Value::Real(x) => *x as u64,
        Value::Buckets(_) => 0,
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge of the facade holds nothing else")]
const fn real(value: &Value) -> f64 {
    match value {
        Value::Whole(n) => *n as f64,
        Value::Real(x) => *x,
        Value::Buckets(_) => 0.0,
    }
}
