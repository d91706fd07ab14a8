//! `#[load_shed]`: who is refused, when, and what the limit learns.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::cast_precision_loss, clippy::float_cmp, reason = "small counts, and a zero that is one")]

use std::future::{Future, pending};
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilient_runtime::{
    EventKind, Fault, Layer, LoadShed, LoadShedPermit, LoadShedSnapshot, Priority, Rejected, ShedMode,
    circuit_breaker, configure, fallback, inherit, load_shed, priority, registry, retry, test_util, timeout,
    with_priority,
};
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<u32, Fault<&'static str>>;

fn overloaded(name: &'static str, priority: Priority) -> Answer {
    Err(Fault::Rejected(Rejected::Overloaded { name, priority }))
}

fn of(name: &str) -> LoadShedSnapshot {
    registry().load_shed(name).expect("a function declares it").snapshot()
}

/// Calls under way, so many.
fn hold(name: &str, calls: usize) -> Vec<LoadShedPermit<'static>> {
    let shedder = registry().load_shed(name).expect("a function declares it");
    (0..calls).map(|_| now(with_priority(Priority::Critical, async { shedder.acquire() })).unwrap()).collect()
}

/// The answer of what does not wait.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// A server of ten workers, and calls that come at random.
mod overload {
    use super::*;
    use rand_lite::Random;
    use std::sync::Arc;
    use tokio::task::JoinSet;

    const WORKERS: usize = 10;
    const SERVICE: f64 = 0.05;
    /// Calls that the server does in a second.
    pub(crate) const CAPACITY: f64 = WORKERS as f64 / SERVICE;

    async fn serve(server: Arc<Semaphore>, takes: f64) -> Answer {
        let _worker = server.acquire().await.unwrap();
        sleep(Duration::from_secs_f64(takes)).await;
        Ok(1)
    }

    macro_rules! calls {
        ($($name:ident $word:literal)*) => {$(
            #[load_shed(name = "shop", priority = $word)]
            async fn $name(server: Arc<Semaphore>, takes: f64) -> Answer {
                serve(server, takes).await
            }
        )*};
    }

    calls!(pay "critical" price "important" list "normal" recommend "optional");

    mod rand_lite {
        /// An xorshift generator: what comes at random comes the same way each time.
        pub(crate) struct Random(pub(crate) u64);

        impl Random {
            pub(crate) fn unit(&mut self) -> f64 {
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
                (self.0 >> 11) as f64 / (1_u64 << 53) as f64
            }

            pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
                -mean * (1.0 - self.unit()).ln()
            }
        }
    }

    /// Calls at `load` times what the server can do, of which so many of a hundred are of each priority.
    pub(crate) async fn run(load: f64, shares: [f64; 4], time: Duration) -> LoadShedSnapshot {
        let server = Arc::new(Semaphore::new(WORKERS));
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut calls = JoinSet::new();
        let start = Instant::now();
        while start.elapsed() < time {
            sleep(Duration::from_secs_f64(random.exponential(1.0 / CAPACITY / load))).await;
            let (which, takes) = (random.unit() * 100.0, random.exponential(SERVICE));
            let server = Arc::clone(&server);
            if which < shares[0] {
                calls.spawn(pay(server, takes));
            } else if which < shares[0] + shares[1] {
                calls.spawn(price(server, takes));
            } else if which < shares[0] + shares[1] + shares[2] {
                calls.spawn(list(server, takes));
            } else {
                calls.spawn(recommend(server, takes));
            }
            while calls.try_join_next().is_some() {}
        }
        calls.join_all().await;
        of("shop")
    }
}

#[tokio::test(start_paused = true)]
async fn under_a_tenfold_overload_the_least_important_calls_are_refused_and_critical_ones_are_not() {
    let seen = overload::run(10.0, [5.0, 20.0, 35.0, 40.0], 30 * SECOND).await;
    let (admitted, rejected) = (seen.admitted, seen.rejected);
    let share = |admitted: u64, rejected: u64| admitted as f64 / (admitted + rejected) as f64;
    assert_eq!(rejected.critical, 0, "{seen:?}");
    assert!(admitted.critical > 1_000, "{seen:?}");
    let shares = [
        share(admitted.important, rejected.important),
        share(admitted.normal, rejected.normal),
        share(admitted.optional, rejected.optional),
    ];
    assert!(shares[0] > 0.5 && shares[1] < 0.25 && shares[2] < 0.01, "{shares:?}");
    let served = admitted.total() as f64 / (30.0 * overload::CAPACITY);
    assert!(served > 0.9, "{served} of the server is used");
}

#[tokio::test(start_paused = true)]
async fn with_room_to_spare_the_least_important_calls_are_served() {
    let seen = overload::run(0.5, [5.0, 20.0, 35.0, 40.0], 30 * SECOND).await;
    let (admitted, rejected) = (seen.admitted, seen.rejected);
    assert_eq!((rejected.critical, rejected.important), (0, 0), "{seen:?}");
    assert!(rejected.total() * 200 < admitted.total(), "{seen:?}");
}

#[load_shed(name = "ten", initial_limit = 10, min_limit = 10, max_limit = 10)]
async fn ten() -> Answer {
    Ok(priority().map_or(9, |priority| priority as u32))
}

#[tokio::test(start_paused = true)]
async fn each_priority_is_refused_at_its_own_level() {
    let mut permits = Vec::new();
    let mut admits = |running: usize| {
        permits.truncate(running);
        permits.extend(hold("ten", running - permits.len()));
        assert_eq!(of("ten").running, running as u64);
        let told = |priority| now(with_priority(priority, ten())).is_ok();
        [Priority::Optional, Priority::Normal, Priority::Critical].map(told)
    };
    assert_eq!(admits(0), [true, true, true]);
    assert_eq!(admits(5), [true, true, true]);
    assert_eq!(admits(6), [false, true, true]);
    assert_eq!(admits(7), [false, true, true]);
    assert_eq!(admits(8), [false, false, true]);
    assert_eq!(admits(19), [false, false, true]);
    assert_eq!(admits(20), [false, false, false]);
}

#[tokio::test(start_paused = true)]
async fn every_other_important_call_is_refused_before_all_of_them_are() {
    let important = || with_priority(Priority::Important, ten());
    let at = |running| {
        let _held = hold("ten", running);
        (0..6).map(|_| now(important()).is_ok()).collect::<Vec<_>>()
    };
    assert_eq!(at(8), [true; 6]);
    assert_eq!(at(9), [false, true, false, true, false, true]);
    assert_eq!(at(10), [false; 6]);
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_does_not_run() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    #[load_shed(name = "shut", initial_limit = 1, min_limit = 1)]
    async fn shut() -> Answer {
        RAN.fetch_add(1, SeqCst);
        pending().await
    }
    let events = test_util::record();
    let first = tokio::spawn(shut());
    yield_now().await;
    let start = Instant::now();
    assert_eq!(shut().await, overloaded("shut", Priority::Normal));
    assert_eq!((start.elapsed(), RAN.load(SeqCst)), (Duration::ZERO, 1));
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    assert_eq!(events.words("shut"), ["overload_began", "rejected"]);
    assert_eq!(
        overloaded("shut", Priority::Normal).unwrap_err().to_string(),
        "load shedder `shut` admits no normal call now"
    );
    let seen = of("shut");
    assert_eq!((seen.admitted.normal, seen.rejected.normal, seen.running), (1, 1, 0));
    assert!(seen.overloaded);
}

#[load_shed(name = "twice", initial_limit = 1, min_limit = 1, max_limit = 1)]
async fn twice() -> Answer {
    sleep(Duration::from_millis(10)).await;
    Ok(1)
}

#[tokio::test(start_paused = true)]
async fn each_refused_call_is_told_of_at_the_end_of_one_overload() {
    let events = test_util::record();
    for calls in [10, 4] {
        futures::future::join_all((0..calls).map(|_| twice())).await;
        for _ in 0..100 {
            twice().await.unwrap();
        }
    }
    let ends = events.kinds("twice").into_iter().filter_map(|kind| match kind {
        EventKind::OverloadEnded { rejected, .. } => Some(rejected),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [9, 3]);
}

#[tokio::test(start_paused = true)]
async fn the_task_s_priority_holds_over_the_function_s() {
    #[load_shed(name = "both", priority = "optional", initial_limit = 4, min_limit = 4)]
    async fn both() -> Answer {
        Ok(1)
    }
    assert_eq!(both().await, Ok(1));
    let _held = hold("both", 3);
    assert_eq!(both().await, overloaded("both", Priority::Optional));
    assert_eq!(with_priority(Priority::Normal, both()).await, Ok(1));
    let _held_too = hold("both", 1);
    assert_eq!(with_priority(Priority::Normal, both()).await, overloaded("both", Priority::Normal));
    assert_eq!(with_priority(Priority::Critical, both()).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_priority_ends_with_its_future_and_spawned_work_inherits_it() {
    let told = with_priority(Priority::Critical, async {
        yield_now().await;
        let inner = with_priority(Priority::Optional, async { priority() }).await;
        let inherited = tokio::spawn(inherit(async { priority() })).await.unwrap();
        let alone = tokio::spawn(async { priority() }).await.unwrap();
        (inner, priority(), inherited, alone)
    });
    let (critical, optional) = (Some(Priority::Critical), Some(Priority::Optional));
    assert_eq!(told.await, (optional, critical, critical, None));
    assert_eq!(priority(), None);
    let panics =
        std::panic::catch_unwind(|| now(with_priority(Priority::Critical, async { panic!("on purpose") })));
    assert!(panics.is_err());
    assert_eq!(priority(), None, "also when the future panics");
}

#[tokio::test(start_paused = true)]
async fn functions_that_name_one_shedder_share_its_places_and_have_priorities_of_their_own() {
    #[load_shed(name = "common", priority = "critical", initial_limit = 2, min_limit = 2)]
    async fn pay() -> Answer {
        pending().await
    }
    #[load_shed(name = "common", priority = "optional")]
    async fn recommend() -> Answer {
        Ok(1)
    }
    let paying = [tokio::spawn(pay()), tokio::spawn(pay())];
    yield_now().await;
    assert_eq!(recommend().await, overloaded("common", Priority::Optional));
    paying.iter().for_each(tokio::task::JoinHandle::abort);
    yield_now().await;
    assert_eq!(recommend().await, Ok(1));
    let listed = registry().functions().iter().flat_map(|function| function.layers());
    let written: Vec<_> = listed.filter(|layer| layer.name() == Some("common")).map(Layer::written).collect();
    assert!(
        written
            .iter()
            .any(|written| written.contains(&("priority", resilient_runtime::Value::Word("critical"))))
    );
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_when_its_call_ends_fails_panics_or_is_dropped() {
    #[load_shed(name = "again", initial_limit = 1, min_limit = 1, max_limit = 1)]
    async fn again(how: u32) -> Answer {
        yield_now().await;
        match how {
            0 => Ok(7),
            1 => Err(Fault::Failed("down")),
            2 => panic!("on purpose"),
            _ => pending().await,
        }
    }
    assert_eq!(again(0).await, Ok(7));
    assert_eq!(again(1).await, Err(Fault::Failed("down")));
    assert!(tokio::spawn(again(2)).await.unwrap_err().is_panic());
    let hanging = tokio::spawn(again(3));
    yield_now().await;
    assert_eq!(again(0).await, overloaded("again", Priority::Normal));
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    drop(again(0));
    assert_eq!(again(0).await, Ok(7));
    assert_eq!((of("again").running, of("again").admitted.total()), (0, 5));
}

#[tokio::test(start_paused = true)]
async fn the_question_mark_and_return_belong_to_the_body_and_methods_borrow_their_arguments() {
    struct Client {
        calls: u32,
    }
    impl Client {
        #[load_shed(name = "client")]
        async fn ask<'a>(&mut self, names: &'a [String]) -> Result<&'a str, std::io::Error> {
            self.calls += 1;
            if names.is_empty() {
                return Ok("nobody");
            }
            let _: u32 = names[0].parse().map_err(std::io::Error::other)?;
            Ok(&names[0])
        }
    }
    let mut client = Client { calls: 0 };
    assert_eq!(client.ask(&["3".to_owned()]).await.unwrap(), "3");
    assert_eq!(client.ask(&[]).await.unwrap(), "nobody");
    assert!(client.ask(&["x".to_owned()]).await.is_err());
    assert_eq!(client.calls, 3);
}

/// Calls that each take this long, so many at once, until this has passed.
async fn load<F: Future>(at_once: usize, time: Duration, call: impl Fn() -> F + Copy) {
    let until = Instant::now() + time;
    let caller = || async move {
        while Instant::now() < until {
            call().await;
            sleep(Duration::from_millis(5)).await;
        }
    };
    futures_all(std::iter::repeat_with(caller).take(at_once)).await;
}

async fn futures_all<F: Future<Output = ()>>(all: impl Iterator<Item = F>) {
    let mut all: Vec<_> = all.map(Box::pin).map(Some).collect();
    std::future::poll_fn(|cx| {
        for slot in &mut all {
            if slot.as_mut().is_some_and(|future| future.as_mut().poll(cx).is_ready()) {
                *slot = None;
            }
        }
        if all.iter().any(Option::is_some) { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_is_used_grows_while_calls_do_not_queue_and_falls_when_they_do() {
    static SERVER: Semaphore = Semaphore::const_new(100);
    #[load_shed(name = "grows", algorithm = "aimd", min_limit = 5)]
    async fn grows() -> Answer {
        let _worker = SERVER.acquire().await.unwrap();
        sleep(Duration::from_millis(20)).await;
        Ok(1)
    }
    load(5, SECOND, grows).await;
    assert_eq!(of("grows").limit, 20, "nobody uses it");
    assert_eq!(of("grows").baseline, Some(Duration::from_millis(20)));
    load(15, SECOND, grows).await;
    let grown = of("grows").limit;
    assert!((25..=30).contains(&grown), "{grown}");
    assert_eq!(SERVER.forget_permits(96), 96);
    load(40, 20 * SECOND, grows).await;
    let seen = of("grows");
    assert!((5..=20).contains(&seen.limit), "{seen:?}");
    assert!(seen.queue_time < Duration::from_millis(100), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn a_baseline_heals_when_calls_become_slower_for_good() {
    static TAKES: AtomicU32 = AtomicU32::new(20);
    #[load_shed(name = "heals")]
    async fn heals() -> Answer {
        sleep(Duration::from_millis(TAKES.load(SeqCst).into())).await;
        Ok(1)
    }
    load(12, 5 * SECOND, heals).await;
    TAKES.store(100, SeqCst);
    load(12, 60 * SECOND, heals).await;
    assert_eq!(of("heals").baseline, Some(Duration::from_millis(100)));
    let before = of("heals").rejected.total();
    load(12, 10 * SECOND, heals).await;
    assert_eq!(of("heals").rejected.total(), before, "{:?}", of("heals"));
}

#[tokio::test(start_paused = true)]
async fn timeouts_above_and_below_lower_the_limit_and_other_failures_do_not() {
    #[load_shed(name = "below", min_limit = 2)]
    #[timeout("50ms")]
    async fn below() -> Answer {
        pending().await
    }
    #[timeout("50ms")]
    #[load_shed(name = "above", min_limit = 2)]
    async fn above() -> Answer {
        pending().await
    }
    #[load_shed(name = "failing", min_limit = 2)]
    async fn failing() -> Answer {
        sleep(Duration::from_millis(50)).await;
        Err(Fault::Failed("down"))
    }
    load(12, 10 * SECOND, below).await;
    load(12, 10 * SECOND, above).await;
    load(12, 10 * SECOND, failing).await;
    assert_eq!([of("below").limit, of("above").limit, of("failing").limit], [2, 2, 20]);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_given_up_early_are_no_overload_before_a_baseline_is_known_nor_after() {
    #[load_shed(name = "raced")]
    async fn raced() -> Answer {
        sleep(Duration::from_millis(10)).await;
        Ok(7)
    }
    for _ in 0..3_000 {
        let hasty = tokio::time::timeout(Duration::from_millis(5), raced());
        let (patient, hasty) = tokio::join!(raced(), hasty);
        assert!(patient.is_ok() && hasty.is_err());
    }
    assert_eq!(of("raced").limit, 20);
}

#[tokio::test(start_paused = true)]
async fn an_overload_begins_once_and_ends_once() {
    #[load_shed(name = "wave", initial_limit = 4, max_limit = 4)]
    async fn wave() -> Answer {
        sleep(Duration::from_millis(20)).await;
        Ok(1)
    }
    let events = test_util::record();
    load(20, SECOND, wave).await;
    load(1, 2 * SECOND, wave).await;
    let mut words = events.words("wave");
    assert!(words.iter().filter(|word| **word == "rejected").count() > 10);
    words.retain(|word| *word != "rejected");
    assert_eq!(words, ["overload_began", "overload_ended"]);
    assert!(!of("wave").overloaded);
}

#[tokio::test(start_paused = true)]
async fn settings_change_live_and_what_was_learned_stays() {
    #[load_shed(name = "live", initial_limit = 8, min_limit = 8)]
    async fn live() -> Answer {
        sleep(Duration::from_millis(20)).await;
        Ok(1)
    }
    load(6, SECOND, live).await;
    let learned = of("live");
    assert!(learned.limit > 8 && learned.baseline.is_some(), "{learned:?}");
    let held = hold("live", 2);
    configure().load_shed("live", |shed| shed.critical_at(3.0)).install().unwrap();
    assert_eq!((of("live").limit, of("live").running), (learned.limit, 2));
    configure().load_shed("live", |shed| shed.max_limit(8)).install().unwrap();
    assert_eq!((of("live").limit, of("live").baseline), (8, learned.baseline));
    drop(held);
    configure().load_shed("live", |shed| shed.mode(ShedMode::Throttle).k(1.5)).install().unwrap();
    assert_eq!((of("live").mode, of("live").running), (ShedMode::Throttle, 0));
    assert_eq!(live().await, Ok(1));
}

#[test]
fn what_does_not_go_together_is_not_installed() {
    let fault = |set: fn(LoadShed) -> LoadShed| {
        let error = configure().load_shed("ten", set).install().unwrap_err();
        let faults: Vec<_> = error.faults().iter().map(|fault| (fault.key, fault.message.clone())).collect();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().next().unwrap()
    };
    assert_eq!(
        fault(|s| s.min_limit(20)),
        (Some("initial_limit"), "10 is below `min_limit`, which is 20".into())
    );
    assert_eq!(
        fault(|s| s.normal_at(0.5).optional_at(0.6)),
        (Some("normal_at"), "0.5 is below `optional_at`, which is 0.6".into())
    );
    assert_eq!(fault(|s| s.critical_at(0.5)), (Some("critical_at"), "0.5 is not a number from 1 on".into()));
    assert_eq!(fault(|s| s.k(2.0)), (Some("k"), "has no effect without `mode = \"throttle\"`".into()));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_ignores_refusals_a_retry_waits_and_a_fallback_steps_in() {
    #[fallback(value = 0)]
    #[retry(max = 3, base = "10ms", jitter = "none")]
    #[circuit_breaker(name = "above it", failure_threshold = 1)]
    #[load_shed(name = "stacked", initial_limit = 1, min_limit = 1, max_limit = 1)]
    async fn stacked() -> Answer {
        Ok(1)
    }
    assert_eq!(stacked().await, Ok(1));
    let held = hold("stacked", 2);
    let start = Instant::now();
    assert_eq!(stacked().await, Ok(0));
    assert_eq!(start.elapsed(), Duration::from_millis(30));
    assert_eq!(of("stacked").rejected.normal, 3);
    drop(held);
    assert_eq!(stacked().await, Ok(1));
    assert_eq!(registry().circuit_breaker("above it").unwrap().snapshot().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn by_hand_a_permit_holds_a_place_and_says_how_its_call_ended() {
    let shed = LoadShed::new("by hand").initial_limit(4).min_limit(2);
    let permits: Vec<_> = (0..4).map(|_| shed.acquire().unwrap()).collect();
    assert_eq!(
        shed.acquire().unwrap_err(),
        Rejected::Overloaded { name: "by hand", priority: Priority::Normal }
    );
    assert_eq!(shed.call(async { Ok::<_, Rejected>(1) }).await.unwrap_err().name(), "by hand");
    assert_eq!(with_priority(Priority::Critical, shed.call(async { Ok::<_, Rejected>(1) })).await, Ok(1));
    advance(SECOND).await;
    for permit in permits {
        permit.record(&Ok::<_, Rejected>(1));
    }
    assert_eq!(shed.snapshot().running, 0);
    for _ in 0..40 {
        let permit = shed.acquire().unwrap();
        advance(Duration::from_millis(100)).await;
        permit.record(&Err::<(), _>(Rejected::TimedOut { name: "it", limit: SECOND }));
    }
    assert_eq!(shed.snapshot().limit, 3, "timeouts lower it");
}

mod throttled {
    use super::*;

    #[load_shed(name = "book", mode = "throttle", window = "2m", min_calls = 10)]
    async fn book(ok: bool) -> Answer {
        yield_now().await;
        if ok { Ok(1) } else { Err(Fault::Failed("busy")) }
    }

    /// So many calls, one after another.
    async fn every<F: Future>(pause: Duration, calls: usize, call: impl Fn(usize) -> F) {
        for n in 0..calls {
            call(n).await;
            sleep(pause).await;
        }
    }

    async fn share_after(ok: u32, failed: u32) -> f64 {
        registry().reset_all();
        for n in 0..ok + failed {
            // With all the failures at the end nothing is refused before.
            let _ = book(n < ok).await;
        }
        of("book").share
    }

    #[tokio::test(start_paused = true)]
    async fn the_share_follows_from_what_came_and_what_was_accepted() {
        assert_eq!(share_after(100, 0).await, 0.0);
        assert_eq!(share_after(80, 20).await, 0.0);
        assert_eq!(share_after(50, 50).await, 0.0);
        assert_eq!(share_after(0, 9).await, 0.0, "too few to tell");
        assert!(share_after(0, 10).await > 0.9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_dependency_that_is_down_gets_few_calls_and_one_that_is_back_gets_all_of_them() {
        static RAN: AtomicU32 = AtomicU32::new(0);
        static DOWN: AtomicU32 = AtomicU32::new(1);
        #[load_shed(name = "down", mode = "throttle", window = "10s")]
        async fn down() -> Answer {
            RAN.fetch_add(1, SeqCst);
            if DOWN.load(SeqCst) == 1 { Err(Fault::Failed("down")) } else { Ok(1) }
        }
        test_util::seed(7);
        let events = test_util::record();
        let calls = |calls| async move {
            let before = RAN.load(SeqCst);
            every(Duration::from_millis(10), calls, |_| down()).await;
            RAN.load(SeqCst) - before
        };
        calls(1_000).await;
        let ran = calls(1_000).await;
        assert!((1..20).contains(&ran), "{ran} of 1000");
        assert!(of("down").share > 0.99 && of("down").overloaded);
        DOWN.store(0, SeqCst);
        // Twice as many get through in each window, from one on.
        calls(12_000).await;
        assert_eq!(calls(1_000).await, 1_000);
        let seen = of("down");
        assert_eq!((seen.share, seen.overloaded), (0.0, false));
        assert_eq!(seen.admitted.normal + seen.rejected.normal, 15_000);
        let mut words = events.words("down");
        words.retain(|word| *word != "rejected");
        assert_eq!(words, ["overload_began", "overload_ended"]);
    }

    #[tokio::test(start_paused = true)]
    async fn optional_calls_are_refused_first_and_critical_ones_last() {
        static ACCEPTED: AtomicU32 = AtomicU32::new(0);
        const RANKS: [Priority; 5] = [
            Priority::Optional,
            Priority::Normal,
            Priority::Important,
            Priority::Critical,
            Priority::Critical,
        ];
        #[load_shed(name = "ranks", mode = "throttle", window = "10s")]
        async fn ranks() -> Answer {
            if ACCEPTED.fetch_add(1, SeqCst) < 200 { Ok(1) } else { Err(Fault::Failed("busy")) }
        }
        test_util::seed(7);
        // Of a thousand calls a second two hundred are accepted, and twice as many get through.
        for _ in 0..30 {
            ACCEPTED.store(0, SeqCst);
            every(Duration::from_millis(1), 1_000, |n| with_priority(RANKS[n % 5], ranks())).await;
        }
        let rejected = of("ranks").rejected;
        assert!(rejected.optional > 3_800, "{rejected:?}");
        assert!(rejected.critical < rejected.important, "{rejected:?}");
        assert!(
            rejected.important <= rejected.normal && rejected.normal <= rejected.optional,
            "{rejected:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_crowd_whose_answers_are_late_is_no_reason_to_refuse() {
        #[load_shed(name = "late", mode = "throttle", window = "1s", min_calls = 1)]
        async fn late() -> Answer {
            sleep(10 * SECOND).await;
            Ok(1)
        }
        load(1_000, 30 * SECOND, late).await;
        assert_eq!(of("late").rejected.total(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_layers_below_refuse_and_permanent_errors_are_no_failures() {
        #[load_shed(name = "quiet", mode = "throttle", min_calls = 1)]
        async fn quiet(error: std::io::Error) -> Result<(), std::io::Error> {
            Err(error)
        }
        for _ in 0..50 {
            let full = Rejected::BulkheadFull { name: "below" };
            quiet(full.into()).await.unwrap_err();
            quiet(std::io::ErrorKind::NotFound.into()).await.unwrap_err();
        }
        assert_eq!(of("quiet").share, 0.0);
        let late = Rejected::TimedOut { name: "below", limit: SECOND };
        quiet(late.into()).await.unwrap_err();
        for _ in 0..100 {
            let _ = quiet(std::io::ErrorKind::ConnectionReset.into()).await;
        }
        assert!(of("quiet").share > 0.0);
    }
}

#[tokio::test(start_paused = true)]
async fn it_learns_although_settings_are_installed_before_each_window_ends() {
    #[load_shed(name = "renewed", window = "100ms")]
    async fn renewed() -> Answer {
        sleep(Duration::from_millis(5)).await;
        Ok(1)
    }
    for _ in 0..100 {
        configure().timeout("other", |t| t.limit(SECOND)).expect("other").install().unwrap();
        for _ in 0..10 {
            renewed().await.unwrap();
        }
    }
    assert_eq!(of("renewed").baseline, Some(Duration::from_millis(5)));
}
