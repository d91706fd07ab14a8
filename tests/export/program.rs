//! What concerns more than one kind of policy, or none: modes, the configuration, health checks, waits.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use resilient_runtime::export::prometheus::text;
use resilient_runtime::{
    Fault, HealthCheck, Mode, bulkhead, configure, health, health_check, rate_limit, registry, reload,
};
use tokio::time::{advance, sleep};

use super::openmetrics::Scrape;
use super::{Answer, SECOND, pay};

fn told(series: &str) -> Option<f64> {
    Scrape::of(&text()).get(series)
}

/// What the policy `payments` of a kind is told to do.
fn mode(kind: &str) -> String {
    let scrape = Scrape::of(&text());
    let of_kind = [&*format!(r#"resilient_policy_mode{{name="payments",kind="{kind}","#)];
    let modes: Vec<_> = scrape.with(&of_kind).collect();
    let observes = !["fallback", "retry"].contains(&kind);
    assert_eq!(modes.len(), if observes { 3 } else { 2 }, "{kind}");
    let on: Vec<_> = modes.into_iter().filter(|(_, value)| *value > 0.0).collect();
    assert_eq!(on.len(), 1, "{on:?}");
    on[0].0.rsplit('"').nth(1).unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_policy_says_what_it_is_told_to_do_before_the_first_call() {
    for kind in ["bulkhead", "circuit_breaker", "fallback", "rate_limit", "retry", "timeout"] {
        assert_eq!(mode(kind), "enforce");
    }
    configure()
        .bulkhead("payments", |it| it.mode(Mode::Observe))
        .circuit_breaker("payments", |it| it.enabled(false))
        .rate_limit("payments", |it| it.mode(Mode::Observe).enabled(false))
        .retry("payments", |it| it.enabled(false))
        .install()
        .unwrap();
    let now = ["bulkhead", "circuit_breaker", "rate_limit", "retry", "timeout"].map(mode);
    assert_eq!(now, ["observe", "off", "off", "off", "enforce"]);
    registry().circuit_breaker("payments").unwrap().observe();
    assert_eq!(mode("circuit_breaker"), "observe");
}

#[tokio::test(start_paused = true)]
async fn reloads_are_counted_by_what_became_of_them_and_the_age_is_that_of_the_last_good_one() {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("told-{}.toml", std::process::id()));
    let write = |limit: &str| fs::write(&path, format!("[timeout.payments]\nlimit = \"{limit}\"\n")).unwrap();
    let now = || {
        let reloads = |result| told(&format!(r#"resilient_config_reloads_total{{result="{result}"}}"#));
        (reloads("applied"), reloads("refused"), told("resilient_config_age_seconds"))
    };
    assert_eq!(now(), (Some(0.0), Some(0.0), Some(0.0)));
    advance(5 * SECOND).await;
    assert_eq!(now().2, Some(5.0));
    write("2s");
    configure().file(&path).install().unwrap();
    assert_eq!(now(), (Some(0.0), Some(0.0), Some(0.0)), "an installation is no reload");
    advance(3 * SECOND).await;
    write("3s");
    reload().unwrap();
    assert_eq!(now(), (Some(1.0), Some(0.0), Some(0.0)));
    advance(2 * SECOND).await;
    write("soon");
    reload().unwrap_err();
    reload().unwrap_err();
    assert_eq!(now(), (Some(1.0), Some(2.0), Some(2.0)));
    fs::remove_file(&path).unwrap();
}

static DATABASE: AtomicBool = AtomicBool::new(true);

#[health_check(name = "told", critical, interval = "10s", timeout = "1s")]
async fn told_check() -> Result<(), Fault<&'static str>> {
    sleep(Duration::from_millis(250)).await;
    if DATABASE.load(Relaxed) { Ok(()) } else { Err(Fault::Failed("down")) }
}

/// The status of a check, its runs by how they ended, and whether it is critical.
fn check(name: &str) -> (String, [f64; 4], f64) {
    let scrape = Scrape::of(&text());
    let get = |family: &str, label: &str| {
        scrape.get(&format!(r#"resilient_health_check_{family}{{name="{name}"{label}}}"#)).unwrap()
    };
    let is = |status: &&str| get("status", &format!(r#",status="{status}""#)) > 0.0;
    let statuses: Vec<_> = ["up", "down", "unknown"].into_iter().filter(is).collect();
    let runs = ["passed", "failed", "timed_out", "panicked"]
        .map(|outcome| get("runs_total", &format!(r#",outcome="{outcome}""#)));
    (statuses.join(" "), runs, get("critical", ""))
}

#[tokio::test(start_paused = true)]
async fn a_check_is_told_before_its_first_run_and_counts_on_across_a_reset() {
    assert_eq!(check("told"), ("unknown".to_owned(), [0.0; 4], 1.0));
    assert_eq!(told(r#"resilient_health_check_age_seconds{name="told"}"#), None);
    HealthCheck::new("hangs").timeout(SECOND).register(std::future::pending::<Result<(), ()>>).unwrap();
    HealthCheck::new("panics")
        .register(|| async { if true { panic!("as it may") } else { Ok::<_, ()>(()) } })
        .unwrap();
    let _checks = health().start().unwrap();
    sleep(5 * SECOND).await;
    assert_eq!(check("told"), ("up".to_owned(), [1.0, 0.0, 0.0, 0.0], 1.0));
    assert_eq!(check("hangs"), ("down".to_owned(), [0.0, 0.0, 1.0, 0.0], 0.0));
    assert_eq!(check("panics"), ("down".to_owned(), [0.0, 0.0, 0.0, 1.0], 0.0));
    let duration = told(r#"resilient_health_check_duration_seconds{name="told"}"#).unwrap();
    assert!((0.25..0.26).contains(&duration), "{duration}");
    let age = told(r#"resilient_health_check_age_seconds{name="told"}"#).unwrap();
    assert!((3.7..=4.75).contains(&age), "{age}");

    registry().reset_all();
    DATABASE.store(false, Relaxed);
    sleep(10 * SECOND).await;
    assert_eq!(check("told"), ("down".to_owned(), [1.0, 1.0, 0.0, 0.0], 1.0));
    assert_eq!(health().check("told").unwrap().passed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_check_that_was_removed_is_told_no_more() {
    HealthCheck::new("brief").register(async || Ok::<_, ()>(())).unwrap();
    assert_eq!(check("brief").0, "unknown");
    assert!(health().remove("brief"));
    assert!(!text().contains(r#"health_check_status{name="brief""#));
}

#[bulkhead(name = "patient", max_concurrent = 1, max_wait = "10s")]
async fn one_at_a_time() -> Answer {
    sleep(2 * SECOND).await;
    Ok(1)
}

#[rate_limit(name = "patient", rate = "1/s", burst = 1, max_wait = "10s")]
async fn one_a_second() -> Answer {
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn waits_are_told_as_how_many_and_how_long() {
    let waited = |family: &str| told(&format!(r#"resilient_{family}{{name="patient"}}"#));
    for family in ["bulkhead_waited_total", "bulkhead_wait_seconds_total", "rate_limit_wait_seconds_total"] {
        assert_eq!(waited(family), Some(0.0));
    }
    let given_up = tokio::time::timeout(SECOND, async { tokio::join!(one_at_a_time(), one_at_a_time()) });
    given_up.await.unwrap_err();
    assert_eq!(waited("bulkhead_wait_seconds_total"), Some(0.0), "nobody got the place");
    let _ = tokio::join!(one_at_a_time(), one_at_a_time(), one_at_a_time());
    assert_eq!(
        (waited("bulkhead_waited_total"), waited("bulkhead_wait_seconds_total")),
        (Some(2.0), Some(6.0))
    );
    let _ = tokio::join!(one_a_second(), one_a_second(), one_a_second());
    let delayed =
        r#"resilient_rate_limit_decisions_total{name="patient",decision="delayed",scope="process"}"#;
    assert_eq!(told(delayed), Some(2.0));
    assert_eq!(waited("rate_limit_wait_seconds_total"), Some(3.0));
}

#[tokio::test(start_paused = true)]
async fn what_one_exporter_tells_of_the_program_all_do() {
    use opentelemetry::metrics::MeterProvider as _;
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};

    let _ = pay(&std::cell::Cell::new(1)).await;
    let exporter = InMemoryMetricExporter::default();
    let reader = PeriodicReader::builder(exporter.clone()).build();
    let provider = SdkMeterProvider::builder().with_reader(reader).build();
    resilient_runtime::export::otel::register(&provider.meter("resilient"), registry());
    provider.force_flush().unwrap();
    let collected = format!("{:?}", exporter.get_finished_metrics().unwrap());
    let recorder = metrics_util::debugging::DebuggingRecorder::new();
    metrics::with_local_recorder(&recorder, || resilient_runtime::export::metrics::publish(registry()));
    let published = format!("{:?}", recorder.snapshotter().snapshot().into_vec());
    for family in ["policy.mode", "config.reloads", "config.age", "health_check.status", "health_check.runs"]
    {
        assert!(collected.contains(&format!("\"resilience.{family}\"")), "{family}");
        assert!(published.contains(&format!("resilient_{}", family.replace('.', "_"))), "{family}");
    }
}
