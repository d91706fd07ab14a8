//! User code runs under no lock: wherever it is called, it may ask anything of the library.
//!
//! Predicates, hooks, conversions, keys, what is shared and kept, wakers, subscribers and recorders are met here.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, KeyName, Recorder, SharedString, Unit, with_local_recorder};
use resilient_runtime::{
    CircuitBreaker, Class, Classify, Rejected, bulkhead, cache, circuit_breaker, coalesce, configure, export,
    fallback, hedge, rate_limit, registry, retry, subscribe, timeout,
};
use tokio::time::{advance, sleep};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata};

const SECOND: Duration = Duration::from_secs(1);

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
    begin(meddled(Tenant(KEYS.get()), Ok(1)));
    // Those under way, and the lines in which others wait.
    begin(shared(Sku(0), Ok(1)));
    begin(kept(Sku(0), Ok(1)));
    begin(paced(Tenant(0)));
    begin(narrow());
    begin(doubled(Ok(1)));
    drop(export::families(registry()));
    MEDDLING.set(false);
}

/// As far as a call gets at once.
fn begin(call: impl Future) {
    let _ = pin!(call).poll(&mut Context::from_waker(Waker::noop()));
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

/// An argument that calls are told apart by.
#[derive(Debug)]
struct Sku(u32);

impl Hash for Sku {
    fn hash<H: Hasher>(&self, state: &mut H) {
        meddle("hash");
        self.0.hash(state);
    }
}

impl PartialEq for Sku {
    fn eq(&self, other: &Self) -> bool {
        meddle("eq");
        self.0 == other.0
    }
}

impl Eq for Sku {}

impl Clone for Sku {
    fn clone(&self) -> Self {
        meddle("clone of a key");
        Self(self.0)
    }
}

impl Drop for Sku {
    fn drop(&mut self) {
        meddle("drop of a key");
    }
}

#[coalesce(name = "shared", key = sku)]
async fn shared(sku: Sku, out: Answer) -> Answer {
    sleep(SECOND).await;
    let _ = sku;
    out
}

#[cache(name = "kept", key = sku, ttl = "1s")]
async fn kept(sku: Sku, out: Answer) -> Answer {
    let _ = sku;
    out
}

#[rate_limit(name = "paced", rate = "1/s", burst = 1, max_wait = "1h", key = key(&tenant))]
async fn paced(tenant: Tenant) -> Answer {
    Ok(tenant.0)
}

#[bulkhead(name = "narrow", max_concurrent = 1, max_wait = "1h")]
async fn narrow() -> Answer {
    sleep(SECOND).await;
    Ok(1)
}

#[hedge(name = "doubled", after = "1s", when = |_: &Failure| told("hedge when"), when_ok = |_: &u32| !told("hedge when_ok"))]
async fn doubled(out: Answer) -> Answer {
    out
}

struct Loud;

impl Wake for Loud {
    fn wake(self: Arc<Self>) {
        meddle("wake");
    }
}

impl Drop for Loud {
    fn drop(&mut self) {
        meddle("drop of a waker");
    }
}

/// Polls with a waker of which nobody else has a copy.
fn poll<F: Future>(call: &mut Pin<Box<F>>) -> Poll<F::Output> {
    call.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::new(Loud))))
}

/// Three calls of one thing, of which the second waits for the first, gives up, and leaves its place to the third.
async fn wait_in_line<F: Future<Output = Answer>>(call: impl Fn() -> F) {
    let mut calls = [(); 3].map(|()| Box::pin(call()));
    for _ in 0..2 {
        let _ = calls.each_mut().map(poll);
    }
    let [first, second, mut third] = calls;
    drop((second, first));
    for _ in 0..5 {
        advance(SECOND).await;
        if poll(&mut third).is_ready() {
            return;
        }
    }
    panic!("it never ended");
}

struct Recording;

impl Recorder for Recording {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> Counter {
        meddle("recorder");
        Counter::noop()
    }

    fn register_gauge(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> Gauge {
        meddle("recorder");
        Gauge::noop()
    }

    fn register_histogram(&self, _: &metrics::Key, _: &metrics::Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

/// Calls that others wait for, and answers that several get.
async fn meet_crowds() {
    let failure = || Err(Failure(Class::Transient));
    wait_in_line(|| shared(Sku(0), failure())).await;
    wait_in_line(|| paced(Tenant(0))).await;
    wait_in_line(narrow).await;
    let mut leader = Box::pin(shared(Sku(0), failure()));
    let mut follower = Box::pin(shared(Sku(0), failure()));
    let _ = (poll(&mut leader), poll(&mut follower));
    advance(SECOND).await;
    assert!(poll(&mut leader).is_ready() && poll(&mut follower).is_ready());
    for _ in 0..3 {
        kept(Sku(0), Ok(1)).await.unwrap();
        let _ = kept(Sku(1), failure()).await;
        advance(SECOND / 2).await;
    }
    let _ = doubled(failure()).await;
    doubled(Ok(1)).await.unwrap();
    with_local_recorder(&Recording, || export::metrics::publish(registry()));
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
                advance(SECOND).await;
                // All keys are told, and whoever hears of it may need another one.
                let breaker = registry().circuit_breaker("meddled").unwrap();
                breaker.observe();
                breaker.resume();
            }
            meet_crowds().await;
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
        "clone of a key",
        "drop",
        "drop of a key",
        "drop of a waker",
        "eq",
        "failure_when",
        "fallback when",
        "from",
        "hash",
        "hedge when",
        "hedge when_ok",
        "ignore_when",
        "key",
        "log",
        "on_retry",
        "plan b",
        "recorder",
        "retry when",
        "retry when_ok",
        "wake",
    ];
    assert_eq!(met, BTreeSet::from(places));
}
