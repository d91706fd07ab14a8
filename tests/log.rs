//! What `tracing` is told, how loudly, and how often.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::sync::Once;
use std::time::Duration;

use resilient_runtime::{
    Fault, Level, bulkhead, circuit_breaker, configure, load_shed, registry, retry, subscribe, timeout,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

thread_local! {
    static LINES: RefCell<Vec<(Level, String)>> = const { RefCell::new(Vec::new()) };
}

/// Keeps what each thread logs, one line an event. One for all: what a scoped subscriber is told depends
/// on which thread logs first.
struct Log;

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilient"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        // It may ask us anything while it is told.
        drop(registry().all_recent());
        LINES.with_borrow_mut(|lines| lines.push((*event.metadata().level(), line.0)));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Listens from now on.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Log).expect("the only one"));
    LINES.with_borrow_mut(Vec::clear);
}

/// The lines of this test about one event.
fn lines(event: &str) -> Vec<(Level, String)> {
    let word = format!("event=\"{event}\"");
    LINES.with_borrow(|lines| lines.iter().filter(|(_, line)| line.contains(&word)).cloned().collect())
}

fn line(event: &str) -> (Level, String) {
    let lines = lines(event);
    assert_eq!(lines.len(), 1, "{event}: {lines:?}");
    lines.into_iter().next().unwrap()
}

#[circuit_breaker(name = "payments", failure_threshold = 3, reset_timeout = "5s")]
async fn pay(ok: bool) -> Result<(), Fault<&'static str>> {
    if ok { Ok(()) } else { Err(Fault::Failed("card 4111 declined")) }
}

#[retry(max = 2, base = "0s", name = "twice", budget = "none")]
#[timeout("1s", name = "each")]
async fn slow() -> Result<(), Fault<&'static str>> {
    std::future::pending().await
}

#[retry(max = 2, base = "0s", name = "pair", budget = "none")]
async fn fails() -> Result<(), &'static str> {
    Err("card 4111 declined")
}

#[retry(max = 2, base = "0s", name = "other pair", budget = "none")]
async fn fails_elsewhere() -> Result<(), &'static str> {
    Err("down")
}

#[bulkhead(name = "narrow", max_concurrent = 1)]
async fn narrow() -> Result<(), Fault<()>> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

#[load_shed(name = "shut", initial_limit = 1, max_limit = 1)]
async fn shut() -> Result<(), Fault<()>> {
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_what_happened_and_nothing_of_the_errors_text() {
    listen();
    let mut events = subscribe();
    for _ in 0..3 {
        pay(false).await.unwrap_err();
    }
    pay(true).await.unwrap_err();
    slow().await.unwrap_err();
    let (level, opened) = line("opened");
    assert_eq!(level, Level::WARN);
    for part in ["circuit_breaker", "payments", "3 of 3"] {
        assert!(opened.contains(part), "{opened}");
    }
    assert_eq!(line("rejected").0, Level::DEBUG, "never a warning for each refused call");
    assert!(lines("timed_out").iter().all(|(level, _)| *level == Level::DEBUG));
    assert_eq!(line("retrying").0, Level::DEBUG);
    let (level, exhausted) = line("exhausted");
    assert_eq!(level, Level::WARN);
    assert!(exhausted.contains("attempt 2 was the last") && !exhausted.contains("suppressed"), "{exhausted}");
    fails().await.unwrap_err();
    let told = format!("{:?}", LINES.with_borrow(Clone::clone));
    let remembered = format!("{:?}", registry().all_recent());
    let mut streamed = String::new();
    while let Ok(event) = tokio::time::timeout(Duration::ZERO, events.recv()).await {
        let event = event.unwrap();
        write!(streamed, "{event:?} {}", event.kind).unwrap();
    }
    for text in [told, remembered, streamed] {
        assert!(text.contains("pair") && !text.contains("4111"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_warning_that_comes_with_calls_is_given_once_in_ten_seconds_for_each_policy() {
    listen();
    for _ in 0..500 {
        fails().await.unwrap_err();
    }
    fails_elsewhere().await.unwrap_err();
    assert_eq!(lines("exhausted").len(), 2, "one for each policy");
    tokio::time::advance(Duration::from_millis(9_999)).await;
    fails().await.unwrap_err();
    assert_eq!(lines("exhausted").len(), 2);
    tokio::time::advance(Duration::from_millis(1)).await;
    fails().await.unwrap_err();
    let told = lines("exhausted");
    assert_eq!(told.len(), 3);
    assert!(told[2].1.contains("suppressed=500"), "{told:?}");
    tokio::time::advance(Duration::from_secs(10)).await;
    fails().await.unwrap_err();
    assert!(!lines("exhausted")[3].1.contains("suppressed"), "none since");
}

#[tokio::test(start_paused = true)]
async fn changes_of_state_are_all_told_however_fast_they_come() {
    listen();
    let breaker = registry().circuit_breaker("payments").unwrap();
    for _ in 0..50 {
        breaker.force_open();
        breaker.resume();
    }
    assert_eq!(lines("forced_open").len(), 50);
}

#[tokio::test(start_paused = true)]
async fn levels_are_set_by_the_events_word_and_go_back_with_the_next_installation() {
    listen();
    configure()
        .log("opened", Level::ERROR)
        .log("exhausted", None)
        .log("retrying", Level::TRACE)
        .log("timed_out", Level::WARN)
        .log("timed_out", Level::INFO)
        .install()
        .unwrap();
    let open = async || {
        for _ in 0..3 {
            pay(false).await.unwrap_err();
        }
    };
    open().await;
    slow().await.unwrap_err();
    assert_eq!(line("opened").0, Level::ERROR);
    assert_eq!(lines("exhausted"), []);
    assert_eq!(line("retrying").0, Level::TRACE);
    assert!(lines("timed_out").iter().all(|(level, _)| *level == Level::INFO), "the later one holds");
    configure().install().unwrap();
    listen();
    registry().reset("circuit_breaker", "payments");
    open().await;
    fails().await.unwrap_err();
    assert_eq!((line("opened").0, line("exhausted").0), (Level::WARN, Level::WARN));
}

#[tokio::test(start_paused = true)]
async fn a_raised_level_is_limited_where_the_event_comes_with_calls() {
    listen();
    configure().log("rejected", Level::ERROR).log("closed", Level::WARN).install().unwrap();
    let breaker = registry().circuit_breaker("payments").unwrap();
    breaker.force_open();
    for _ in 0..100 {
        pay(true).await.unwrap_err();
    }
    let _ = tokio::join!(narrow(), narrow());
    let rejected = lines("rejected");
    let of = |policy: &str| rejected.iter().filter(|(_, line)| line.contains(policy)).count();
    assert_eq!((of("payments"), of("narrow"), rejected.len()), (1, 1, 2), "{rejected:?}");
    for _ in 0..5 {
        breaker.force_open();
        breaker.resume();
    }
    assert_eq!(lines("closed").len(), 5);
}

#[tokio::test(start_paused = true)]
async fn an_overload_is_a_warning_and_its_rejections_are_none() {
    listen();
    let _ = tokio::join!(shut(), shut(), shut());
    assert_eq!(line("overload_began").0, Level::WARN);
    assert!(lines("rejected").iter().all(|(level, _)| *level == Level::DEBUG));
}

#[test]
fn unknown_events_are_faults_with_the_nearest_name_and_install_nothing() {
    let error = configure()
        .log("opend", Level::ERROR)
        .log("Rejected", Level::ERROR)
        .log("exhausted", None)
        .remember("zzz", true)
        .recent(10_001)
        .install()
        .unwrap_err()
        .to_string();
    for part in [
        "resilient.log.opend: there is no event of this name; did you mean `opened`?",
        "resilient.log.Rejected: there is no event of this name; did you mean `rejected`?",
        "resilient.remember.zzz: there is no event of this name; there are `budget`, `closed`,",
        "resilient.recent: 10001 is more than 10000",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn a_variable_that_was_probably_meant_for_us_is_told() {
    listen();
    for (name, meant) in [
        ("RESILIENT_TIMEOUT__QUOTES__LIMIT", Some("did you mean `RESILIENT__TIMEOUT__QUOTES__LIMIT`?")),
        ("RESILIENT_TIMEOUT_QUOTES_LIMIT", Some("settings are written `RESILIENT__<KIND>__<NAME>__<KEY>`")),
        ("resilient_log__opened", Some("did you mean `RESILIENT__LOG__OPENED`?")),
        ("RESILIENT_CONFIG_FILE", Some("did you mean `RESILIENT_CONFIG`?")),
        ("RESILIENT_CONFG", Some("did you mean `RESILIENT_CONFIG`?")),
        ("RESILIENT_ENABLED", Some("did you mean `RESILIENT__ENABLED`?")),
        ("RESILIENT_API_TOKEN", None),
        ("RESILIENTLY", None),
        ("RESILIENT_\u{e9}", None),
    ] {
        LINES.with_borrow_mut(Vec::clear);
        configure().env_from([(name, "1s")]).install().unwrap();
        let told: Vec<_> = LINES.with_borrow(|lines| {
            lines.iter().filter(|(level, _)| *level == Level::WARN).map(|(_, line)| line.clone()).collect()
        });
        let expected = meant.map(|meant| format!(" message=it is not read; {meant} (variable {name})"));
        assert_eq!(told, Vec::from_iter(expected));
    }
}
