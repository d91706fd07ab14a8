//! User code runs under no lock: wherever it is called, it may ask anything of the library.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::mpsc::channel;
use std::task::{Context, Waker};
use std::time::Duration;

use resilient_runtime::{
    CircuitBreaker, Class, Classify, Rejected, circuit_breaker, configure, fallback, registry, retry,
    subscribe, timeout,
};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata};

thread_local! {
    static MET: RefCell<BTreeSet<&'static str>> = const { RefCell::new(BTreeSet::new()) };
    static MEDDLING: Cell<bool> = const { Cell::new(false) };
    static KEYS: Cell<u32> = const { Cell::new(0) };
}

/// Takes every lock there is, unless it is itself the cause of this call.
fn meddle(place: &'static str) {
    let first = MET.with_borrow_mut(|met| met.insert(place));
    if MEDDLING.replace(true) {
        return;
    }
    let _ = subscribe();
    configure().circuit_breaker("meddled", |b| b.success_threshold(1)).install().unwrap();
    for policy in registry().snapshots() {
        registry().reset(policy.stem(), "nobody");
    }
    for breaker in ["meddled", "keyless"].map(|name| registry().circuit_breaker(name)).into_iter().flatten() {
        through(breaker, first);
    }
    // A key that nobody has used, and none that anybody will.
    KEYS.set(KEYS.get() + 1);
    let mut call = pin!(meddled(Tenant(KEYS.get()), Ok(1)));
    let _ = call.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    MEDDLING.set(false);
}

fn through(breaker: &CircuitBreaker, change: bool) {
    if let Ok(permit) = breaker.acquire() {
        permit.ignore();
    }
    // A listener that changes something whenever something changes is told for ever.
    if change {
        breaker.observe();
        breaker.resume();
    }
    let _ = breaker.snapshot();
}

#[derive(Debug, PartialEq)]
struct Failure(Class);

impl Classify for Failure {
    fn classify(&self) -> Class {
        meddle("classify");
        self.0
    }
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        meddle("from");
        Self(Class::Transient)
    }
}

impl Clone for Failure {
    fn clone(&self) -> Self {
        meddle("clone");
        Self(self.0)
    }
}

impl Drop for Failure {
    fn drop(&mut self) {
        meddle("drop");
    }
}

#[derive(Clone)]
struct Tenant(u32);

/// Text only once somebody asks.
struct Key(String);

impl AsRef<str> for Key {
    fn as_ref(&self) -> &str {
        meddle("as_ref");
        &self.0
    }
}

fn key(tenant: &Tenant) -> Key {
    meddle("key");
    Key(tenant.0.to_string())
}

type Answer = Result<u32, Failure>;

fn told(place: &'static str) -> bool {
    meddle(place);
    true
}

#[fallback(fn = plan_b(err), when = |_: &Failure| told("fallback when"))]
#[retry(
    max = 2,
    base = "0s",
    when = |_: &Failure| told("retry when"),
    when_ok = |_: &u32| !told("retry when_ok"),
    on_retry = |_, _, _| meddle("on_retry")
)]
#[circuit_breaker(
    name = "meddled",
    key = key(&tenant),
    max_keys = 40,
    failure_threshold = 1,
    reset_timeout = "1s",
    ignore_when = |_: &Failure| !told("ignore_when"),
    failure_when = |answer: &Answer| told("failure_when") && answer.is_err()
)]
#[timeout("1h")]
async fn meddled(tenant: Tenant, out: Answer) -> Answer {
    meddle("body");
    let _ = tenant;
    out
}

fn plan_b(error: Failure) -> Answer {
    meddle("plan b");
    Err(error)
}

#[circuit_breaker(name = "keyless", failure_rate = 0.5, window = "10s", min_calls = 1, reset_timeout = "1s")]
#[timeout("10ms")]
async fn keyless(out: Answer) -> Answer {
    tokio::task::yield_now().await;
    out
}

/// A subscriber that is no better.
struct Log;

impl tracing::Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {
        meddle("log");
    }

    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// Calls that meet each kind of user code, and the places met.
fn meet_all() -> BTreeSet<&'static str> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    tracing::subscriber::with_default(Log, || {
        runtime.block_on(async {
            for class in [Class::Transient, Class::Permanent, Class::Transient] {
                meddled(Tenant(0), Err(Failure(class))).await.unwrap_err();
                let _ = meddled(Tenant(0), Ok(1)).await;
                let _ = keyless(Err(Failure(class))).await;
                let _ = keyless(Ok(1)).await;
                tokio::time::advance(Duration::from_secs(1)).await;
                // All keys are told, and whoever hears of it may need another one.
                let breaker = registry().circuit_breaker("meddled").unwrap();
                breaker.observe();
                breaker.resume();
            }
        });
    });
    MET.take()
}

#[test]
fn whoever_is_called_may_call_back() {
    let (done, wait) = channel();
    // A lock taken twice by one thread is never given: somebody else has to notice.
    std::thread::spawn(move || done.send(meet_all()).unwrap());
    let met = wait.recv_timeout(Duration::from_secs(60)).expect("user code ran under a lock");
    let places = [
        "as_ref",
        "body",
        "classify",
        "clone",
        "drop",
        "failure_when",
        "fallback when",
        "from",
        "ignore_when",
        "key",
        "log",
        "on_retry",
        "plan b",
        "retry when",
        "retry when_ok",
    ];
    assert_eq!(met, BTreeSet::from(places));
}
