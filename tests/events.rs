//! What subscribers and `tracing` are told.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilient_runtime::{
    CircuitCause, CircuitState, EventKind, Fault, circuit_breaker, registry, retry, subscribe, timeout,
};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

#[circuit_breaker(name = "payments", failure_threshold = 3, reset_timeout = "5s")]
async fn pay(ok: bool) -> Result<(), Fault<&'static str>> {
    if ok { Ok(()) } else { Err(Fault::Failed("card 4111 declined")) }
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_sees_transitions_with_cause_and_figures() {
    let mut events = subscribe();
    for _ in 0..3 {
        pay(false).await.unwrap_err();
    }
    let event = events.recv().await.unwrap();
    assert_eq!((event.stem, event.policy, event.kind.as_str()), ("circuit_breaker", "payments", "opened"));
    let EventKind::StateChanged { from, to, cause, failures, open_for, .. } = event.kind else {
        panic!("{event:?}")
    };
    assert_eq!((from, to, cause), (CircuitState::Closed, CircuitState::Open, CircuitCause::FailureThreshold));
    assert_eq!((failures, open_for), (3, Some(Duration::from_secs(5))));
}

#[tokio::test(start_paused = true)]
async fn an_event_and_a_refusal_read_well() {
    let mut events = subscribe();
    let breaker = registry().circuit_breaker("payments").unwrap();
    breaker.force_open();
    let forced = events.recv().await.unwrap().kind.to_string();
    assert!(!forced.contains("calls failed"), "no calls, no figures: {forced}");
    breaker.resume();

    for _ in 0..3 {
        pay(false).await.unwrap_err();
    }
    tokio::time::advance(Duration::from_nanos(1_234_567_891)).await;
    let refused = pay(true).await.unwrap_err().to_string();
    assert_eq!(refused, "circuit breaker `payments` is open, try again in 3.766s");
}

#[tokio::test(start_paused = true)]
async fn a_slow_subscriber_learns_how_much_it_missed_and_goes_on() {
    let mut events = subscribe();
    registry().circuit_breaker("payments").unwrap().force_open();
    for _ in 0..2_000 {
        pay(true).await.unwrap_err();
    }
    let missed = events.recv().await.unwrap_err();
    assert!(missed.events > 900, "{missed}");
    assert_eq!(events.recv().await.unwrap().kind.as_str(), "rejected");
}

#[tokio::test(start_paused = true)]
async fn subscribers_of_one_runtime_hear_nothing_of_another() {
    let mut ours = subscribe();
    let other = std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut theirs = subscribe();
            registry().circuit_breaker("payments").unwrap().force_open();
            theirs.recv().await.unwrap().kind.as_str()
        })
    });
    assert_eq!(other.join().unwrap(), "forced_open");
    let none = tokio::time::timeout(Duration::from_secs(1), ours.recv()).await;
    assert!(none.is_err(), "{none:?}");
}

/// Collects what one thread logs, one line an event. It listens to all: what a scoped subscriber
/// is told depends on which thread logs first.
#[derive(Clone)]
struct Log(Arc<Mutex<Vec<(Level, String)>>>, std::thread::ThreadId);

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
        if std::thread::current().id() != self.1 {
            return;
        }
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.lock().unwrap().push((*event.metadata().level(), line.0));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log {
    fn find(&self, event: &str) -> (Level, String) {
        let lines = self.0.lock().unwrap();
        let word = format!("event=\"{event}\"");
        lines.iter().find(|(_, line)| line.contains(&word)).cloned().unwrap_or_else(|| panic!("{lines:?}"))
    }
}

#[retry(max = 2, base = "0s", name = "twice")]
#[timeout("1s", name = "each")]
async fn slow() -> Result<(), Fault<&'static str>> {
    std::future::pending().await
}

#[tokio::test(start_paused = true)]
async fn the_log_tells_what_happened_and_nothing_of_the_errors_text() {
    let log = Log(Arc::default(), std::thread::current().id());
    tracing::subscriber::set_global_default(log.clone()).expect("the only one");
    for _ in 0..3 {
        pay(false).await.unwrap_err();
    }
    pay(true).await.unwrap_err();
    slow().await.unwrap_err();
    let (level, line) = log.find("opened");
    assert_eq!(level, Level::WARN);
    for part in ["circuit_breaker", "payments", "3 of 3"] {
        assert!(line.contains(part), "{line}");
    }
    assert_eq!(log.find("rejected").0, Level::DEBUG, "never a warning for each refused call");
    assert_eq!(log.find("timed_out").0, Level::DEBUG);
    assert_eq!(log.find("retrying").0, Level::DEBUG);
    assert!(log.find("exhausted").1.contains("attempt 2 was the last"));
    let lines = log.0.lock().unwrap();
    assert!(lines.iter().all(|(_, line)| !line.contains("4111")), "{lines:?}");
}
