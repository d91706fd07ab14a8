use opentelemetry::metrics::MeterProvider as _;
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, Metric, MetricData, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use resilient_runtime::{export::otel, registry};

use super::{only, whole_cycle};

struct Collector {
    provider: SdkMeterProvider,
    exporter: InMemoryMetricExporter,
}

impl Collector {
    fn new() -> Self {
        let exporter = InMemoryMetricExporter::default();
        let reader = PeriodicReader::builder(exporter.clone()).build();
        let provider = SdkMeterProvider::builder().with_reader(reader).build();
        otel::register(&provider.meter("resilient"), registry());
        Self { provider, exporter }
    }

    /// What `read` finds in the instrument `name`, as collected now.
    fn find<T>(&self, name: &str, read: impl Fn(&Metric) -> T) -> T {
        self.exporter.reset();
        self.provider.force_flush().unwrap();
        let collected = self.exporter.get_finished_metrics().unwrap();
        let metrics =
            collected.iter().flat_map(ResourceMetrics::scope_metrics).flat_map(ScopeMetrics::metrics);
        let found: Vec<_> = metrics.filter(|metric| metric.name() == name).map(read).collect();
        assert_eq!(found.len(), 1, "{name}");
        found.into_iter().next().unwrap()
    }

    /// Values of the counter `name` of the policy `payments`, by their second label.
    fn counted(&self, name: &str) -> Vec<(String, u64)> {
        self.find(name, |metric| match metric.data() {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                assert!(sum.is_monotonic(), "{name}");
                sorted(sum.data_points().map(|point| (point.attributes(), point.value())))
            }
            other => panic!("{name} is no counter: {other:?}"),
        })
    }

    fn states(&self) -> Vec<(String, f64)> {
        let states = self.find("resilience.circuit_breaker.state", |metric| match metric.data() {
            AggregatedMetrics::U64(MetricData::Gauge(gauge)) => {
                sorted(gauge.data_points().map(|point| (point.attributes(), point.value())))
            }
            other => panic!("no gauge: {other:?}"),
        });
        states.into_iter().map(|(state, value)| (state, if value == 1 { 1.0 } else { 0.0 })).collect()
    }
}

fn sorted<'a, A>(points: impl Iterator<Item = (A, u64)>) -> Vec<(String, u64)>
where
    A: Iterator<Item = &'a opentelemetry::KeyValue>,
{
    let mut all: Vec<_> = points
        .filter_map(|(attributes, value)| {
            let mut attributes: Vec<_> = attributes.collect();
            attributes.sort_by_key(|attribute| attribute.key.as_str() != "name");
            let label = attributes.get(1).map_or_else(String::new, |label| label.value.to_string());
            (attributes[0].value.as_str() == "payments").then_some((label, value))
        })
        .collect();
    all.sort();
    all
}

#[tokio::test(start_paused = true)]
async fn every_state_is_collected_before_the_first_call_and_one_of_them_holds_at_a_time() {
    let collector = Collector::new();
    // The SDK collects on a thread of its own, where time is not paused and so nothing is due yet.
    let is_due = |state: &str| state == "half_open";
    whole_cycle(|state| assert!(is_due(state) || collector.states() == only(state), "{state}")).await;
}

#[tokio::test(start_paused = true)]
async fn what_was_counted_is_collected_and_a_reset_takes_nothing_away() {
    let collector = Collector::new();
    whole_cycle(|_| ()).await;
    let calls = || collector.counted("resilience.circuit_breaker.calls");
    let before = calls();
    let expected =
        [("abandoned", 0), ("failed", 5), ("ignored", 0), ("panicked", 0), ("rejected", 2), ("succeeded", 2)];
    assert_eq!(before, expected.map(|(outcome, n)| (outcome.to_owned(), n)));
    registry().reset_all();
    assert_eq!(calls(), before);
    assert_eq!(collector.counted("resilience.retry.attempts"), [(String::new(), 9)]);
}

#[tokio::test]
async fn instruments_say_what_they_measure() {
    let collector = Collector::new();
    let told =
        collector.find("resilience.timeout.limit", |it| (it.unit().to_owned(), it.description().to_owned()));
    assert_eq!(told, ("s".to_owned(), "Time that a call may take.".to_owned()));
}
