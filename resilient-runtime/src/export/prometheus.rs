//! For Prometheus: a collector and the text of a scrape.
//!
//! ```
//! use prometheus_client::registry::Registry;
//! use resilient_runtime::export::prometheus::PolicyCollector;
//! use resilient_runtime::registry;
//!
//! let mut metrics = Registry::default();
//! metrics.register_collector(Box::new(PolicyCollector::new(registry())));
//! ```
//!
//! Names are those of [`families`] with `resilient_` before, and `_seconds` and `_total` behind where they
//! apply: `resilient_circuit_breaker_state`, `resilient_hedge_after_seconds`, `resilient_retry_calls_total`.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit as Suffix;

use super::{Buckets, Family, Kind, Sample, Unit, Value, families};
use crate::registry::{Registry, registry};

/// What a response with [`text`] says of itself in its header `content-type`.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Reads the figures of all policies whenever a registry is encoded.
///
/// Register it once in a registry: a second one would give each figure twice.
#[derive(Clone, Copy, Debug)]
pub struct PolicyCollector {
    registry: Registry,
}

impl PolicyCollector {
    /// A collector for the policies of `registry`.
    #[must_use]
    pub const fn new(registry: Registry) -> Self {
        Self { registry }
    }
}

impl Collector for PolicyCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        families(self.registry).iter().try_for_each(|family| write(family, &mut encoder))
    }
}

/// The figures of all policies as `OpenMetrics` text, complete with its end.
///
/// ```
/// use resilient_runtime::{circuit_breaker, export::prometheus};
///
/// #[circuit_breaker(name = "stock")]
/// async fn in_stock(sku: u32) -> std::io::Result<bool> {
///     Ok(sku % 2 == 0)
/// }
///
/// let text = prometheus::text();
/// assert!(text.contains(r#"resilient_circuit_breaker_state{name="stock",state="closed"} 1"#));
/// assert!(text.ends_with("# EOF\n"));
/// ```
#[must_use]
pub fn text() -> String {
    let mut all = prometheus_client::registry::Registry::default();
    all.register_collector(Box::new(PolicyCollector::new(registry())));
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = encode(&mut text, &all);
    text
}

fn write(family: &Family, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let name = format!("resilient_{}", family.name.replace('.', "_"));
    let unit = match family.unit {
        Unit::Count | Unit::Ratio => None,
        Unit::Seconds => Some(Suffix::Seconds),
    };
    let kind = match family.kind {
        Kind::Counter => MetricType::Counter,
        Kind::Gauge => MetricType::Gauge,
        Kind::Histogram => MetricType::Histogram,
    };
    let mut encoder = encoder.encode_descriptor(&name, family.help, unit.as_ref(), kind)?;
    for Sample { labels, value } in &family.samples {
        if labels.is_empty() {
            put(family.kind, value, &mut encoder)?;
        } else {
            put(family.kind, value, &mut encoder.encode_family(&labels.as_slice())?)?;
        }
    }
    Ok(())
}

fn put(kind: Kind, value: &Value, encoder: &mut MetricEncoder<'_>) -> fmt::Result {
    match (kind, value) {
        (_, Value::Buckets(Buckets { counts, sum })) => {
            let count = counts.iter().map(|(_, count)| count).sum();
            encoder.encode_histogram::<NoLabelSet>(*sum, count, counts, None)
        }
        (Kind::Counter, Value::Whole(n)) => encoder.encode_counter::<NoLabelSet, _, u64>(n, None),
        (Kind::Counter, Value::Real(x)) => encoder.encode_counter::<NoLabelSet, _, u64>(x, None),
        (_, Value::Whole(n)) => encoder.encode_gauge(n),
        (_, Value::Real(x)) => encoder.encode_gauge(x),
    }
}
