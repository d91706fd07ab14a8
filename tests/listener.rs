//! A listener of the log that panics, wherever in the process it is told something.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, Once};
use std::time::Duration;

use resilient_runtime::{
    CircuitState, Fault, Snapshot, circuit_breaker, configure, health, health_check, registry, timeout,
};
use tokio::time::sleep;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

const SECOND: Duration = Duration::from_secs(1);

#[timeout("2s", name = "quotes")]
async fn quote() -> Result<(), Fault<()>> {
    Ok(())
}

#[health_check(name = "database", interval = "1s")]
async fn database() -> Result<(), ()> {
    std::future::ready(if DATABASE_IS_UP.get() { Ok(()) } else { Err(()) }).await
}

#[circuit_breaker(name = "orders", health = "database")]
async fn order() -> Result<(), Fault<()>> {
    Ok(())
}

#[circuit_breaker(name = "returns", health = "database")]
async fn take_back() -> Result<(), Fault<()>> {
    Ok(())
}

#[circuit_breaker(name = "bomb", failure_threshold = 1)]
async fn explode() -> Result<(), Fault<()>> {
    panic!("the body fails")
}

thread_local! {
    static DATABASE_IS_UP: Cell<bool> = const { Cell::new(true) };
}

/// Panics whenever it is told of something, and counts that by the event's word.
struct Panicking;

static PANICS: Mutex<BTreeMap<String, u32>> = Mutex::new(BTreeMap::new());

fn panics(word: &str) -> u32 {
    PANICS.lock().unwrap().get(word).copied().unwrap_or_default()
}

struct Told;

impl Visit for Told {
    fn record_debug(&mut self, _: &Field, _: &dyn Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "event" && value != "loaded" {
            *PANICS.lock().unwrap().entry(value.to_owned()).or_default() += 1;
            panic!("a listener fails");
        }
    }
}

fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Panicking).expect("the only one"));
}

impl Subscriber for Panicking {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "resilient"
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Told);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

fn limit() -> Duration {
    let Some(Snapshot::Timeout(quotes)) = registry().snapshot("timeout", "quotes") else {
        panic!("no timeout")
    };
    quotes.limit
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_does_not_end_the_watching() {
    listen();
    let path =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("listener-{}.toml", std::process::id()));
    let write = |limit: &str| fs::write(&path, format!("[timeout.quotes]\nlimit = {limit}\n")).unwrap();
    write("\"3s\"");
    configure().file(&path).reload(SECOND).install().unwrap();
    for (told, limit_then) in [("\"4s\"", 4), ("5", 4), ("\"6s\"", 6), ("\"7s\"", 7)] {
        write(told);
        sleep(3 * SECOND).await;
        assert_eq!(limit(), limit_then * SECOND, "{told}");
    }
    assert_eq!((panics("reloaded"), panics("refused")), (3, 1), "each change was told once");
    quote().await.unwrap();
    fs::remove_file(&path).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_ends_no_check_and_keeps_nothing_from_its_breakers() {
    listen();
    let tasks = health().start().unwrap();
    let states = || ["orders", "returns"].map(|name| registry().circuit_breaker(name).unwrap().state());
    let is_run = || health().check("database").unwrap().running;
    sleep(2 * SECOND).await;
    for _ in 0..2 {
        DATABASE_IS_UP.set(false);
        sleep(2 * SECOND).await;
        assert_eq!((states(), is_run()), ([CircuitState::Open; 2], true));
        DATABASE_IS_UP.set(true);
        sleep(2 * SECOND).await;
        assert_eq!((states(), is_run()), ([CircuitState::HalfOpen; 2], true));
    }
    assert_eq!((panics("health_down"), panics("opened")), (2, 4));
    DATABASE_IS_UP.set(false);
    sleep(2 * SECOND).await;
    drop(tasks);
    assert_eq!((states(), is_run()), ([CircuitState::HalfOpen; 2], false), "nobody knows");
    assert_eq!((order().await, take_back().await), (Ok(()), Ok(())));
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_panics_while_a_call_does_ends_nothing_else() {
    listen();
    assert!(tokio::spawn(explode()).await.unwrap_err().is_panic());
    assert_eq!(registry().circuit_breaker("bomb").unwrap().state(), CircuitState::Open);
}
