//! How long calls take, as Prometheus reads it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the guarded code of users sleeps")]

use std::time::Duration;

use resilient_runtime::export::{Value, families, prometheus};
use resilient_runtime::{Fault, configure, registry, timeout};

#[timeout("1s")]
async fn quote(millis: u64) -> Result<u64, Fault<()>> {
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(millis)
}

#[tokio::test(start_paused = true)]
async fn calls_are_counted_by_how_long_they_took_and_how_they_ended() {
    configure().latency(true).install().unwrap();
    for millis in [5, 30, 30, 2_000] {
        let _ = quote(millis).await;
    }
    let text = prometheus::text();
    let line = |line: &str| assert!(text.lines().any(|told| told == line), "{line} is not in\n{text}");
    let labels = r#"function="durations::quote",outcome="ok""#;
    line("# TYPE resilient_call_duration_seconds histogram");
    line("# UNIT resilient_call_duration_seconds seconds");
    for (bound, calls) in [("0.005", 1), ("0.025", 1), ("0.05", 3), ("10.0", 3), ("+Inf", 3)] {
        line(&format!(r#"resilient_call_duration_seconds_bucket{{le="{bound}",{labels}}} {calls}"#));
    }
    line(&format!("resilient_call_duration_seconds_count{{{labels}}} 3"));
    let late = r#"{function="durations::quote",outcome="timed_out"}"#;
    line(&format!("resilient_call_duration_seconds_sum{late} 1.0"));

    let families = families(registry());
    let told = families.iter().find(|family| family.name == "call.duration").unwrap();
    let Value::Buckets(buckets) = &told.samples[0].value else { unreachable!("{told:?}") };
    assert_eq!(buckets.counts.iter().map(|(_, calls)| calls).sum::<u64>(), 3);
    assert!((buckets.sum - 0.065).abs() < 1e-9, "{}", buckets.sum);
}
