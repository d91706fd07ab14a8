//! For OpenTelemetry: observable instruments on a meter.
//!
//! ```
//! use opentelemetry::global;
//! use resilient_runtime::{export::otel, registry};
//!
//! // After the program has set its provider:
//! otel::register(&global::meter("resilient"), registry());
//! ```
//!
//! Names are those of [`families`](super::families) with `resilience.` before; seconds that add up end in
//! `.time`. Attributes are called as the labels are.

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use super::table;
use super::{Family, Kind, Sample, Unit, Value};
use crate::registry::Registry;

/// Makes an instrument on `meter` for each figure of the policies of `registry`.
///
/// They read when the meter's reader collects, as long as its provider lives. Register once: two instruments
/// of one name are one too many. OpenTelemetry has no histogram that is read, so how long calls took stands in a
/// gauge for each quantile.
pub fn register(meter: &Meter, registry: Registry) {
    for row in table::rows() {
        observe(meter, &Family::of(row, Vec::new()), move || Family::read(row, registry).samples);
    }
    #[cfg(feature = "latency")]
    for read in [super::latency::calls, super::latency::quantiles] {
        observe(meter, &read(registry), move || read(registry).samples);
    }
}

fn observe(meter: &Meter, family: &Family, read: impl Fn() -> Vec<Sample> + Send + Sync + 'static) {
    match (family.kind, family.unit) {
        (Kind::Counter, Unit::Count) => whole_counter(meter, family, read),
        (Kind::Counter, _) => real_counter(meter, family, read),
        (_, Unit::Count) => whole_gauge(meter, family, read),
        (_, _) => real_gauge(meter, family, read),
    }
}

macro_rules! instruments {
    ($($make:ident($builder:ident) of $value:path as $type:ty;)*) => {
        $(fn $make(
            meter: &Meter,
            family: &Family,
            read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
        ) {
            let instrument = meter.$builder(name(family)).with_description(family.help);
            // The provider keeps the callback; what `build` returns holds nothing.
            let _ = instrument
                .with_unit(unit(family.unit))
                .with_callback(move |observer: &dyn AsyncInstrument<$type>| {
                    for Sample { labels, value } in read() {
                        if let $value(value) = value {
                            observer.observe(value, &attributes(&labels));
                        }
                    }
                })
                .build();
        })*
    };
}

instruments! {
    whole_counter(u64_observable_counter) of Value::Whole as u64;
    real_counter(f64_observable_counter) of Value::Real as f64;
    whole_gauge(u64_observable_gauge) of Value::Whole as u64;
    real_gauge(f64_observable_gauge) of Value::Real as f64;
}

fn name(family: &Family) -> String {
    let suffix = if let (Kind::Counter, Unit::Seconds) = (family.kind, family.unit) { ".time" } else { "" };
    format!("resilience.{}{suffix}", family.name)
}

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count | Unit::Ratio => "1",
        Unit::Seconds => "s",
    }
}

fn attributes(labels: &[(&'static str, &'static str)]) -> Vec<KeyValue> {
    labels.iter().map(|(label, value)| KeyValue::new(*label, *value)).collect()
}
