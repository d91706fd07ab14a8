//! What a guarded call costs when it succeeds: no allocation, and few bytes.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use allocation_counter::measure;
use resilient_runtime::{
    CircuitBreaker, Fault, Rate, RateLimit, attempt, bulkhead, cache, circuit_breaker, coalesce, configure,
    fallback, health_check, hedge, load_shed, rate_limit, resilient, retry, timeout,
};

type Answer = Result<u64, Fault<&'static str>>;

async fn work(n: u64) -> Answer {
    let buffer = [n; 64];
    std::future::ready(()).await;
    Ok(buffer.iter().sum())
}

/// The body of the functions below, unguarded.
async fn plain(n: u64) -> Answer {
    work(n).await
}

#[retry]
async fn retried(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "consecutive")]
async fn guarded(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "count", failure_rate = 0.5, window = 100, min_calls = 10)]
async fn counted(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "time", failure_rate = 0.5, window = "10s", min_calls = 10)]
async fn timed(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "keyed", key = n)]
async fn keyed(n: u64) -> Answer {
    work(n).await
}

#[timeout("2s")]
async fn bounded(n: u64) -> Answer {
    work(n).await
}

#[bulkhead(name = "roomy", max_concurrent = 4, max_wait = "1s")]
async fn confined(n: u64) -> Answer {
    work(n).await
}

#[hedge(after = "50ms")]
async fn hedged(n: u64) -> Answer {
    work(n).await
}

#[hedge(after = "p95", name = "learning")]
async fn hedged_by_quantile(n: u64) -> Answer {
    work(n).await
}

#[cache(ttl = "1h")]
async fn remembered(n: u64) -> Answer {
    work(n).await
}

#[cache(ttl = "1h", key = text)]
async fn remembered_by_text(n: u64, text: &str) -> Answer {
    work(n * text.len() as u64).await
}

async fn by_text(n: u64) -> Answer {
    remembered_by_text(n, "t").await
}

#[coalesce]
async fn coalesced(n: u64) -> Answer {
    work(n).await
}

#[load_shed(name = "calm")]
async fn shedding(n: u64) -> Answer {
    work(n).await
}

#[load_shed(name = "quiet", mode = "throttle")]
async fn throttled(n: u64) -> Answer {
    work(n).await
}

#[rate_limit(name = "plenty", rate = "1000000/s", max_wait = "1s")]
async fn limited(n: u64) -> Answer {
    work(n).await
}

#[rate_limit(name = "each", rate = "1000000/s", key = n)]
async fn limited_each(n: u64) -> Answer {
    work(n).await
}

#[fallback(value = 0)]
async fn covered(n: u64) -> Answer {
    work(n).await
}

#[fallback(value = 0)]
#[retry]
#[circuit_breaker(name = "stacked")]
#[timeout("2s")]
async fn stacked(n: u64) -> Answer {
    work(n).await
}

#[health_check(name = "checked")]
#[circuit_breaker(name = "checked")]
#[timeout("2s")]
async fn check() -> Answer {
    work(1).await
}

async fn checked(_: u64) -> Answer {
    check().await
}

#[resilient("composed")]
async fn composed(n: u64) -> Answer {
    work(n).await
}

#[resilient("all")]
async fn composed_of_all(n: u64) -> Answer {
    work(n).await
}

fn at_once(call: impl Future<Output = Answer>) -> Answer {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

#[test]
fn the_success_path_allocates_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    configure()
        .retry("all", |it| it.max(2))
        .circuit_breaker("all", |it| it.failure_threshold(2))
        .rate_limit("all", |it| it.rate(Rate::per_second(1_000_000)))
        .timeout("all", |it| it.limit(Duration::from_secs(2)))
        .bulkhead("all", |it| it.max_concurrent(1))
        .install()
        .unwrap();
    macro_rules! allocates_nothing {
        ($($call:ident)*) => {$(
            at_once($call(1)).unwrap();
            let counted = measure(|| (0..100).for_each(|_| assert_eq!(at_once($call(1)), Ok(64))));
            assert_eq!(counted.count_total, 0, stringify!($call));
        )*};
    }
    allocates_nothing!(work retried guarded counted timed keyed bounded confined limited limited_each shedding throttled covered hedged hedged_by_quantile checked stacked composed composed_of_all);
}

/// moka writes down what was read and goes through its notes once in a while, for which it needs two kilobytes.
#[test]
fn a_value_that_is_found_allocates_nothing_of_ours() {
    for found in [|| at_once(remembered(1)), || at_once(by_text(1))] {
        found().unwrap();
        let counted = measure(|| (0..1_000).for_each(|_| assert_eq!(found(), Ok(64))));
        assert!(counted.count_total <= 1_000 / 64, "{}", counted.count_total);
    }
}

/// Those who come while it runs have to find it somewhere.
#[test]
fn a_flight_allocates_once() {
    let fly = || (0..100).for_each(|n| assert!(at_once(coalesced(n)).is_ok()));
    fly();
    let counted = measure(fly);
    assert_eq!((counted.count_total, counted.bytes_current), (100, 0));
}

/// Guards against flights that stay, and against a map that grows with the keys it has seen.
#[test]
fn a_hundred_thousand_keys_leave_nothing_behind() {
    // A function of its own: a call of another test's under way would be joined.
    #[coalesce]
    async fn flown(n: u64) -> Answer {
        work(n).await
    }
    let fly =
        |keys: std::ops::Range<u64>| measure(|| keys.for_each(|n| drop(at_once(flown(n))))).bytes_current;
    fly(0..1_000);
    assert_eq!(fly(1_000..101_000), 0);
}

#[test]
fn the_failure_path_allocates_nothing_either() {
    #[circuit_breaker(name = "failing", failure_rate = 0.9, window = 100, min_calls = 10)]
    #[timeout("2s")]
    async fn failing(ok: bool) -> Answer {
        if ok { Ok(64) } else { Err(Fault::Failed("down")) }
    }
    #[circuit_breaker(name = "open", failure_threshold = 1)]
    async fn open() -> Answer {
        Err(Fault::Failed("down"))
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let half = || (0..100).for_each(|n| drop(at_once(failing(n % 2 == 0))));
    half();
    assert_eq!(measure(half).count_total, 0);
    let refused = || (0..100).for_each(|_| drop(at_once(open())));
    refused();
    assert_eq!(measure(refused).count_total, 0);
}

/// Guards against breakers that leave something behind when they go, or with each transition.
#[test]
fn what_a_breaker_takes_it_gives_back_and_flapping_takes_nothing() {
    let flaps = |breaker: &CircuitBreaker, times: u32| {
        for _ in 0..times {
            breaker.acquire().unwrap().failure();
            breaker.force_open();
            breaker.resume();
            breaker.acquire().unwrap().success();
            breaker.reset();
        }
    };
    let new = || CircuitBreaker::new("flaps").failure_threshold(1);
    // The last events of the name stay, and their room is made when there are that many.
    flaps(&new(), 100);
    let came_and_went = measure(|| (0..100).for_each(|_| flaps(&new().failure_rate(0.5).window(100), 3)));
    assert!(came_and_went.count_total > 0);
    assert_eq!(came_and_went.bytes_current, 0);
    let breaker = new();
    flaps(&breaker, 10);
    assert_eq!(measure(|| flaps(&breaker, 1_000)).bytes_current, 0);
}

#[test]
fn a_whole_stack_adds_at_most_256_bytes() {
    let (plain, stacked) = (size_of_val(&plain(1)), size_of_val(&stacked(1)));
    assert!(stacked <= plain + 256, "{plain} bytes became {stacked}");
}

async fn tiny(n: u64) -> Answer {
    std::future::ready(Ok(n)).await
}

#[retry]
async fn tiny_retried(n: u64) -> Answer {
    tiny(n).await
}

#[timeout("2s")]
async fn tiny_bounded(n: u64) -> Answer {
    tiny(n).await
}

/// Guards against a layer that needs room of its own only when it waits, and hides it in a large body's.
#[test]
fn a_tiny_body_costs_no_more_than_a_large_one() {
    async fn plain(n: u64) -> Answer {
        tiny(n).await
    }
    let (plain, moved, cloned) = (size_of_val(&plain(1)), size_of::<u64>(), 3 * size_of::<u64>());
    for (layer, guarded, most) in [
        ("timeout", size_of_val(&tiny_bounded(1)), 160 + moved),
        ("retry", size_of_val(&tiny_retried(1)), 64 + cloned),
    ] {
        assert!(guarded <= plain + most, "{layer}: {plain} bytes became {guarded}");
    }
}

#[test]
fn a_wait_allocates_nothing_either() {
    #[retry(max = 2, base = "1s", jitter = "none", budget = "none")]
    #[timeout("2s")]
    async fn waits() -> Answer {
        tokio::task::yield_now().await;
        if attempt() == 1 { Err(Fault::Failed("down")) } else { Ok(64) }
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        waits().await.unwrap();
        let before = tokio::time::Instant::now();
        let mut call = pin!(async {
            for _ in 0..100 {
                waits().await.unwrap();
            }
        });
        let mut counted = 0;
        std::future::poll_fn(|cx| {
            let mut poll = Poll::Pending;
            counted += measure(|| poll = call.as_mut().poll(cx)).count_total;
            poll
        })
        .await;
        assert_eq!(counted, 0);
        assert_eq!(before.elapsed().as_secs(), 100);
    });
}

#[test]
fn no_layer_adds_more_than_it_may() {
    let plain = size_of_val(&plain(1));
    // A block that is run again keeps the argument, copies it and hands the copy on.
    let (moved, cloned) = (size_of::<u64>(), 3 * size_of::<u64>());
    for (layer, guarded, most) in [
        ("circuit_breaker", size_of_val(&guarded(1)), 40),
        ("timeout", size_of_val(&bounded(1)), 160 + moved),
        ("bulkhead", size_of_val(&confined(1)), 40),
        ("cache", size_of_val(&remembered(1)), 80 + moved),
        ("coalesce", size_of_val(&coalesced(1)), 104 + moved),
        ("load_shed", size_of_val(&shedding(1)), 40),
        ("rate_limit", size_of_val(&limited(1)), 40),
        ("retry", size_of_val(&retried(1)), 64 + cloned),
        ("hedge", size_of_val(&hedged(1)), 152 + cloned),
        ("fallback", size_of_val(&covered(1)), 24 + moved),
        ("resilient", size_of_val(&composed(1)), 304),
    ] {
        assert!(guarded <= plain + most, "{layer}: {plain} bytes became {guarded}");
    }
}

/// Guards against keys that keep what they learned, or a place, when others take theirs.
#[test]
fn a_hundred_thousand_keys_take_the_room_of_the_first_thousand() {
    #[circuit_breaker(name = "tenants", key = tenant, failure_rate = 0.9, window = 100)]
    async fn per_tenant(tenant: u64, ok: bool) -> Answer {
        if ok { Ok(tenant) } else { Err(Fault::Failed("down")) }
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    let call = |tenants: std::ops::Range<u64>| {
        measure(|| tenants.for_each(|tenant| drop(at_once(per_tenant(tenant, tenant > 300))))).bytes_current
    };
    let first = call(0..1_000);
    assert!(first <= 1_000 * 2_048, "{first} bytes for a thousand breakers");
    let others = call(1_000..100_000);
    assert!(others <= first / 10, "{first} bytes for a thousand keys, and {others} for the others");
}

#[test]
fn a_million_keys_of_a_rate_limit_take_the_room_of_the_first_ten_thousand() {
    let limit = RateLimit::new("users").rate(resilient_runtime::Rate::per_hour(1)).max_keys(10_000);
    let call = |users: std::ops::Range<u64>| {
        measure(|| users.for_each(|user| drop(limit.try_acquire_for(&user.to_string())))).bytes_current
    };
    // The first refusal makes the registry, whoever runs before.
    let first = call(0..11_000);
    assert!(first <= 10_000 * 64, "{first} bytes for ten thousand keys");
    assert_eq!(call(11_000..1_000_000), 0, "bytes for the others");
    assert_eq!(limit.snapshot().keys, 10_000);
}
