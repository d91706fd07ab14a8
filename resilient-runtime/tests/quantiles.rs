//! How long calls take, for whoever cannot be handed a histogram: OpenTelemetry and the `metrics` facade.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the guarded code of users sleeps")]

use std::collections::BTreeMap;
use std::time::Duration;

use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use resilient_runtime::export::{metrics::publish, otel};
use resilient_runtime::{Fault, configure, registry, timeout};

#[timeout("1s")]
async fn quote(millis: u64) -> Result<u64, Fault<()>> {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(millis)
}

/// A hundred calls that succeed, after 1 ms to 100 ms, and one that is given up after a second.
async fn call() {
    for millis in 1..=100 {
        quote(millis).await.unwrap();
    }
    quote(2_000).await.unwrap_err();
}

/// Values by their labels, but for the function.
type Values = BTreeMap<Vec<(String, String)>, f64>;

fn labelled<K: ToString, V: ToString>(labels: impl Iterator<Item = (K, V)>) -> Vec<(String, String)> {
    let mut labels: Vec<_> = labels.map(|(key, value)| (key.to_string(), value.to_string())).collect();
    labels.sort();
    assert_eq!(labels.remove(0), ("function".to_owned(), "quantiles::quote".to_owned()));
    labels
}

fn of(outcome: &str, quantile: Option<&str>) -> Vec<(String, String)> {
    let outcome = Some(("outcome".to_owned(), outcome.to_owned()));
    outcome.into_iter().chain(quantile.map(|it| ("quantile".to_owned(), it.to_owned()))).collect()
}

fn assert_told(quantiles: &Values, calls: &Values) {
    assert_eq!(*calls, BTreeMap::from([(of("ok", None), 100.0), (of("timed_out", None), 1.0)]));
    let expected = [("0.5", 0.05, 1.0), ("0.9", 0.09, 1.0), ("0.99", 0.099, 1.0), ("1", 0.1, 1.0)];
    assert_eq!(quantiles.len(), 2 * expected.len(), "{quantiles:?}");
    for (quantile, ok, late) in expected {
        for (outcome, seconds) in [("ok", ok), ("timed_out", late)] {
            let told = quantiles[&of(outcome, Some(quantile))];
            // Two digits are kept, and the timer is late by up to a millisecond.
            assert!((seconds..seconds * 1.02 + 0.001).contains(&told), "{outcome} {quantile}: {told}");
        }
    }
}

fn published() -> (Values, Values) {
    let recorder = DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || publish(registry()));
    let (mut quantiles, mut calls) = (Values::new(), Values::new());
    for (key, unit, _, value) in recorder.snapshotter().snapshot().into_vec() {
        let labels = key.key().labels().map(|label| (label.key(), label.value()));
        match (key.key().name(), value) {
            ("resilient_call_duration_seconds", DebugValue::Gauge(seconds)) => {
                assert_eq!(unit, Some(metrics::Unit::Seconds));
                quantiles.insert(labelled(labels), seconds.into_inner());
            }
            ("resilient_calls_total", DebugValue::Counter(n)) => {
                calls.insert(labelled(labels), f64::from(u32::try_from(n).unwrap()));
            }
            (name, value) => assert!(!name.starts_with("resilient_call"), "{name} is {value:?}"),
        }
    }
    (quantiles, calls)
}

struct Meter {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Meter {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        otel::register(&provider.meter("resilient"), registry());
        Self { provider, exporter }
    }

    fn collect(&self) -> (Values, Values) {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let collected = self.exporter.get_finished_metrics().unwrap();
        let metrics =
            collected.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
        let (mut quantiles, mut calls) = (Values::new(), Values::new());
        for metric in metrics {
            match metric.name() {
                "resilience.call.duration" => quantiles = seconds(metric),
                "resilience.calls" => calls = counted(metric),
                _ => {}
            }
        }
        (quantiles, calls)
    }
}

fn seconds(metric: &Metric) -> Values {
    let AggregatedMetrics::F64(MetricData::Gauge(gauge)) = metric.data() else { panic!("{metric:?}") };
    assert_eq!(metric.unit(), "s");
    let labels = |point: &opentelemetry_sdk::metrics::data::GaugeDataPoint<f64>| {
        labelled(point.attributes().map(|it| (it.key.clone(), it.value.clone())))
    };
    gauge.data_points().map(|point| (labels(point), point.value())).collect()
}

fn counted(metric: &Metric) -> Values {
    let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { panic!("{metric:?}") };
    assert!(sum.is_monotonic());
    let labels = |point: &opentelemetry_sdk::metrics::data::SumDataPoint<u64>| {
        labelled(point.attributes().map(|it| (it.key.clone(), it.value.clone())))
    };
    sum.data_points().map(|point| (labels(point), f64::from(u32::try_from(point.value()).unwrap()))).collect()
}

/// One test: without `test-util` there is one registry for all.
#[tokio::test(start_paused = true)]
async fn a_gauge_for_each_quantile_and_a_counter_say_how_long_calls_took() {
    let meter = Meter::new();
    configure().latency(true).install().unwrap();
    assert_eq!(published(), (Values::new(), Values::new()), "nothing is told of what was never called");
    assert_eq!(meter.collect(), (Values::new(), Values::new()));
    call().await;
    for (quantiles, calls) in [published(), meter.collect()] {
        assert_told(&quantiles, &calls);
    }
}
