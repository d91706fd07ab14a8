use metrics::with_local_recorder;
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use resilient_runtime::{export::metrics::publish, registry};

use super::{only, whole_cycle};

/// Values of the policy `payments` that `name` has, by their second label.
fn read(snapshotter: &Snapshotter, kind: MetricKind, name: &str) -> Vec<(String, f64)> {
    let mut found: Vec<_> = snapshotter
        .snapshot()
        .into_vec()
        .into_iter()
        .filter_map(|(key, unit, description, value)| {
            let (of, key) = key.into_parts();
            let mut labels = key.labels();
            let ours = of == kind && key.name() == name && labels.next()?.value() == "payments";
            assert!(unit.is_some() && description.is_some(), "{key}");
            let label = labels.next().map_or_else(String::new, |label| label.value().to_owned());
            let value = match value {
                DebugValue::Counter(n) => f64::from(u32::try_from(n).unwrap()),
                DebugValue::Gauge(x) => x.into_inner(),
                DebugValue::Histogram(_) => return None,
            };
            ours.then_some((label, value))
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[tokio::test(start_paused = true)]
async fn what_is_published_before_a_recorder_is_there_does_not_keep_it_from_hearing_later() {
    publish(registry());
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    whole_cycle(|state| {
        with_local_recorder(&recorder, || publish(registry()));
        let states = read(&snapshotter, MetricKind::Gauge, "resilient_circuit_breaker_state");
        assert_eq!(states, only(state));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn counters_are_set_and_not_added_up() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    whole_cycle(|_| ()).await;
    with_local_recorder(&recorder, || (0..3).for_each(|_| publish(registry())));
    let attempts = read(&snapshotter, MetricKind::Counter, "resilient_retry_attempts_total");
    assert_eq!(attempts, [(String::new(), 9.0)]);
}

#[tokio::test]
async fn seconds_stand_in_the_name() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    with_local_recorder(&recorder, || publish(registry()));
    let limit = read(&snapshotter, MetricKind::Gauge, "resilient_timeout_limit_seconds");
    assert_eq!(limit, [(String::new(), 1.0)]);
}
