//! `#[rate_limit]`: how many start in a time, and who waits for a turn.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::future::pending;
use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resilient_runtime::{
    Fault, Rate, RateLimit, RateLimitSnapshot, Rejected, attempt, circuit_breaker, configure, fallback,
    rate_limit, registry, retry, test_util, timeout,
};
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, advance};

use self::common::{settle, spawned};

const SECOND: Duration = Duration::from_secs(1);
const MS: Duration = Duration::from_millis(1);

type Answer = Result<u32, Fault<&'static str>>;

fn refused(name: &'static str, after: Duration) -> Answer {
    Err(Fault::Rejected(Rejected::RateLimited { name, retry_after: Some(after) }))
}

fn of(name: &str) -> RateLimitSnapshot {
    registry().rate_limit(name).expect("a function declares it").snapshot()
}

#[rate_limit(name = "other", rate = "1/s")]
async fn other() -> Answer {
    Ok(7)
}

#[tokio::test(start_paused = true)]
async fn a_call_beyond_the_burst_is_refused_at_once_and_does_not_run() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    #[rate_limit(name = "two", rate = "10/s", burst = 2)]
    async fn two() -> Answer {
        RAN.fetch_add(1, SeqCst);
        Ok(7)
    }
    let events = test_util::record();
    let start = Instant::now();
    assert_eq!((two().await, two().await), (Ok(7), Ok(7)));
    assert_eq!(two().await, refused("two", 100 * MS));
    advance(40 * MS).await;
    assert_eq!(two().await, refused("two", 60 * MS));
    assert_eq!(start.elapsed(), 40 * MS);
    assert_eq!(RAN.load(SeqCst), 2);
    assert_eq!(events.words("two"), ["rejected", "rejected"]);
    advance(60 * MS).await;
    assert_eq!(two().await, Ok(7));
    let seen = of("two");
    assert_eq!((seen.admitted, seen.rejected, seen.waited, seen.waiting, seen.available), (3, 2, 0, 0, 0));
    assert_eq!((seen.rate, seen.burst), (Rate::per_second(10), 2));
    advance(SECOND).await;
    assert_eq!(of("two").available, 2);
}

#[tokio::test(start_paused = true)]
async fn the_burst_is_that_of_one_period_unless_written() {
    #[rate_limit(name = "whole", rate = "5/m")]
    async fn whole() -> Answer {
        Ok(7)
    }
    for _ in 0..5 {
        assert_eq!(whole().await, Ok(7));
    }
    assert_eq!(whole().await, refused("whole", 12 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_polled_takes_no_permit() {
    let unpolled = other();
    assert_eq!(other().await, Ok(7));
    drop(unpolled);
    assert_eq!(of("other").admitted, 1);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_panics_or_is_dropped_has_used_its_permit() {
    #[rate_limit(name = "used", rate = "1/s", burst = 3)]
    async fn used(how: u32) -> Answer {
        yield_now().await;
        match how {
            0 => Err(Fault::Failed("down")),
            1 => panic!("on purpose"),
            _ => pending().await,
        }
    }
    assert_eq!(used(0).await, Err(Fault::Failed("down")));
    assert!(tokio::spawn(used(1)).await.unwrap_err().is_panic());
    spawned(used(2)).await.abort();
    assert_eq!(used(0).await, refused("used", SECOND));
    assert_eq!((of("used").admitted, of("used").rejected, of("used").abandoned), (3, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_question_mark_and_return_belong_to_the_body() {
    #[rate_limit(name = "marks", rate = "100/s")]
    async fn marks(text: &str) -> Result<u32, io::Error> {
        if text.is_empty() {
            return Ok(0);
        }
        let n: u32 = text.parse().map_err(io::Error::other)?;
        Ok(n)
    }
    assert_eq!(marks("").await.unwrap(), 0);
    assert_eq!(marks("3").await.unwrap(), 3);
    assert_eq!(marks("x").await.unwrap_err().kind(), io::ErrorKind::Other);
}

#[tokio::test(start_paused = true)]
async fn methods_borrow_their_arguments() {
    struct Client {
        calls: u32,
    }
    impl Client {
        #[rate_limit(name = "client", rate = "100/s", key = names[0])]
        async fn ask<'a>(&mut self, names: &'a [String]) -> Result<&'a str, Rejected> {
            self.calls += 1;
            Ok(&names[0])
        }
    }
    let (mut client, names) = (Client { calls: 0 }, vec!["a".to_owned()]);
    assert_eq!(client.ask(&names).await, Ok("a"));
    assert_eq!(client.calls, 1);
}

#[tokio::test(start_paused = true)]
async fn functions_that_name_one_limit_share_its_permits_and_others_do_not() {
    #[rate_limit(name = "shared", rate = "1/s")]
    async fn one() -> Answer {
        Ok(1)
    }
    #[rate_limit(name = "shared", rate = "1/s")]
    async fn two() -> Answer {
        Ok(2)
    }
    assert_eq!(one().await, Ok(1));
    assert_eq!(two().await, refused("shared", SECOND));
    assert_eq!(other().await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn a_constant_may_hold_the_rate() {
    const RATE: Rate = Rate::new(1, Duration::from_millis(250));
    #[rate_limit(name = "constant", rate = RATE)]
    async fn constant() -> Answer {
        Ok(7)
    }
    assert_eq!(constant().await, Ok(7));
    assert_eq!(constant().await, refused("constant", 250 * MS));
}

mod waiting {
    use super::*;

    type Starts = Arc<Mutex<Vec<(u32, Duration)>>>;

    #[rate_limit(name = "line", rate = "10/s", burst = 2, max_wait = "500ms")]
    async fn line(number: u32, since: Instant, starts: Starts) -> Answer {
        starts.lock().unwrap().push((number, since.elapsed()));
        Ok(number)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_start_in_the_order_they_came_each_in_its_turn() {
        let (starts, start) = (Starts::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..8 {
            calls.push(spawned(line(number, start, Arc::clone(&starts))).await);
        }
        assert_eq!(of("line").waiting, 5);
        assert_eq!(calls.pop().unwrap().await.unwrap(), refused("line", 600 * MS));
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap(), Ok(number));
        }
        let expected = [(0, 0), (1, 0), (2, 100), (3, 200), (4, 300), (5, 400), (6, 500)];
        assert_eq!(*starts.lock().unwrap(), expected.map(|(number, at)| (number, at * MS)));
        let seen = of("line");
        assert_eq!((seen.admitted, seen.waited, seen.rejected, seen.abandoned), (7, 5, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_overtakes_who_waits() {
        let (starts, start) = (Starts::default(), Instant::now());
        let mut calls = JoinSet::new();
        for number in 0..3 {
            calls.spawn(line(number, start, Arc::clone(&starts)));
        }
        settle().await;
        // Its permit is there, but whoever waits for it has not been polled yet.
        advance(100 * MS).await;
        calls.spawn(line(3, start, Arc::clone(&starts)));
        calls.join_all().await;
        let order: Vec<_> = starts.lock().unwrap().iter().map(|(number, _)| *number).collect();
        assert_eq!(order, [0, 1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_turn_of_who_leaves_goes_to_who_comes_next() {
        let (starts, start) = (Starts::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..7 {
            calls.push(spawned(line(number, start, Arc::clone(&starts))).await);
        }
        calls.remove(3).abort();
        settle().await;
        assert_eq!((of("line").waiting, of("line").abandoned), (4, 1));
        // The turn at 200 ms, before those that came first but have theirs.
        calls.push(spawned(line(7, start, Arc::clone(&starts))).await);
        assert_eq!(line(8, start, Arc::clone(&starts)).await, refused("line", 600 * MS));
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let expected = [(0, 0), (1, 0), (2, 100), (7, 200), (4, 300), (5, 400), (6, 500)];
        assert_eq!(*starts.lock().unwrap(), expected.map(|(number, at)| (number, at * MS)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_the_end_of_the_line_was_never_there() {
        let (starts, start) = (Starts::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..7 {
            calls.push(spawned(line(number, start, Arc::clone(&starts))).await);
        }
        for call in calls.drain(3..) {
            call.abort();
        }
        settle().await;
        let late = spawned(line(9, start, Arc::clone(&starts))).await;
        assert_eq!(late.await.unwrap(), Ok(9));
        assert_eq!(start.elapsed(), 200 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_would_cross_the_deadline_is_not_begun() {
        #[timeout("1s")]
        #[rate_limit(name = "inside", rate = "1/2s", max_wait = "1h")]
        async fn bounded() -> Answer {
            Ok(7)
        }
        let start = Instant::now();
        assert_eq!(bounded().await, Ok(7));
        assert_eq!(bounded().await, refused("inside", 2 * SECOND));
        assert_eq!(start.elapsed(), Duration::ZERO);
        advance(SECOND).await;
        assert_eq!(bounded().await, Ok(7));
        assert_eq!(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_left_in_the_line_moves_up() {
        #[rate_limit(name = "left", rate = "1/s", burst = 1, max_wait = "1h")]
        async fn left() -> Answer {
            Ok(7)
        }
        assert_eq!(left().await, Ok(7));
        let mut before = Vec::new();
        for _ in 0..100 {
            before.push(spawned(left()).await);
        }
        let start = Instant::now();
        let [next, last] = [spawned(left()).await, spawned(left()).await];
        // The first of all leaves last, and what is behind it is a row of holes by then.
        for call in before.iter().rev() {
            call.abort();
            settle().await;
        }
        assert_eq!(next.await.unwrap(), Ok(7));
        assert_eq!(start.elapsed(), SECOND);
        assert_eq!(last.await.unwrap(), Ok(7));
        assert_eq!(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_nobody_took_is_passed_on_when_it_comes() {
        let (starts, start) = (Starts::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..7 {
            calls.push(spawned(line(number, start, Arc::clone(&starts))).await);
        }
        calls.remove(4).abort();
        calls.remove(3).abort();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let expected = [(0, 0), (1, 0), (2, 100), (5, 200), (6, 300)];
        assert_eq!(*starts.lock().unwrap(), expected.map(|(number, at)| (number, at * MS)));
    }

    #[tokio::test(start_paused = true)]
    async fn turns_that_were_given_up_side_by_side_serve_who_needs_as_many() {
        static MANY: RateLimit =
            RateLimit::new("many").rate(Rate::per_second(1)).burst(2).max_wait(Duration::from_secs(100));
        MANY.try_acquire_many(2).unwrap();
        let start = Instant::now();
        let mut calls = Vec::new();
        for _ in 0..10 {
            calls.push(spawned(MANY.acquire()).await);
        }
        for given_up in [2, 4, 3, 5] {
            calls[given_up].abort();
        }
        settle().await;
        MANY.acquire_many(2).await.unwrap();
        assert_eq!(start.elapsed(), 4 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_that_comes_just_before_the_deadline_is_taken() {
        #[rate_limit(name = "just", rate = "1/499500us", burst = 1, max_wait = "1h")]
        async fn just() -> Answer {
            Ok(7)
        }
        #[timeout("1s")]
        async fn bounded() -> Answer {
            just().await
        }
        assert_eq!(just().await, Ok(7));
        // Its turn, at 499.5 ms, is one that others let go first.
        let mut unpolled = Box::pin(just());
        assert!(futures::poll!(unpolled.as_mut()).is_pending());
        assert_eq!(bounded().await, Ok(7));
    }

    /// In any window at most the burst and what the rate adds.
    fn hold_the_rate(starts: &[Instant], rate: Rate, burst: u64) {
        for (first, from) in starts.iter().enumerate() {
            for (count, to) in (1..).zip(&starts[first..]) {
                let passed = (*to - *from).as_nanos() * u128::from(rate.permits());
                let most = u128::from(burst) + passed / rate.period().as_nanos();
                assert!(count <= most, "{count} in {:?}", *to - *from);
            }
        }
    }

    async fn crowd(limit: &'static RateLimit, calls: usize) -> JoinSet<Instant> {
        let last: &'static AtomicUsize = Box::leak(Box::default());
        let start = async move |number| {
            limit.acquire().await.unwrap();
            let before = last.swap(number, SeqCst);
            assert!(number == 0 || number > before, "{number} starts after {before}");
            Instant::now()
        };
        let set = (0..calls).map(start).collect();
        settle().await;
        set
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_waiters_hold_the_rate_and_all_are_served() {
        static LIMITS: [(Rate, u32); 5] = [
            (Rate::per_second(100), 10),
            (Rate::per_second(3), 1),
            (Rate::new(7, Duration::from_millis(10)), 5),
            (Rate::per_second(30_000), 20),
            (Rate::per_minute(7), 2),
        ];
        for (rate, burst) in LIMITS {
            let limit = RateLimit::new("crowd").rate(rate).burst(burst).max_wait(Duration::MAX);
            let limit: &'static RateLimit = Box::leak(Box::new(limit));
            let begin = Instant::now();
            let mut starts = crowd(limit, 1_000).await.join_all().await;
            starts.sort();
            hold_the_rate(&starts, rate, u64::from(burst));
            // Timers fire once in a millisecond, in which no more than a burst can start.
            let ideal = rate.period() * (1_000 - burst) / rate.permits();
            let coarse = MS * (1_000 / burst);
            let late = ideal.max(coarse) + [MS, coarse][usize::from(burst == 1)];
            assert!(begin.elapsed() <= late, "{rate}: {:?} for {ideal:?}", begin.elapsed());
            assert_eq!((limit.snapshot().waiting, limit.snapshot().admitted), (0, 1_000));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_waiters_that_wake_late_and_together_hold_the_rate() {
        for late in [5 * MS, SECOND, 100 * SECOND] {
            let rate = Rate::per_second(100);
            let limit = RateLimit::new("late").rate(rate).burst(10).max_wait(Duration::MAX);
            let limit: &'static RateLimit = Box::leak(Box::new(limit));
            let crowd = crowd(limit, 1_000).await;
            // Nobody is polled meanwhile.
            advance(late).await;
            let mut starts = crowd.join_all().await;
            starts.sort();
            hold_the_rate(&starts, rate, 10);
            assert_eq!(starts.len(), 1_000);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn several_permits_are_taken_at_one_moment() {
        let limit = RateLimit::new("many").rate(Rate::per_second(10)).burst(5).max_wait(SECOND);
        let start = Instant::now();
        limit.acquire_many(5).await.unwrap();
        assert_eq!(limit.try_acquire_many(0), Ok(()));
        limit.acquire_many(3).await.unwrap();
        assert_eq!(start.elapsed(), 300 * MS);
        let never = Rejected::RateLimited { name: "many", retry_after: None };
        assert_eq!(limit.acquire_many(6).await, Err(never.clone()));
        assert_eq!(limit.try_acquire_many(u32::MAX), Err(never));
        assert_eq!(start.elapsed(), 300 * MS);
    }
}

mod keyed {
    use super::*;

    #[rate_limit(name = "tenants", rate = "1/s", burst = 2, key = tenant)]
    async fn load(tenant: &str) -> Answer {
        Ok(7)
    }

    #[tokio::test(start_paused = true)]
    async fn each_key_has_permits_of_its_own() {
        for tenant in ["a", "b"] {
            assert_eq!((load(tenant).await, load(tenant).await), (Ok(7), Ok(7)));
        }
        assert_eq!(load("a").await, refused("tenants", SECOND));
        assert_eq!(load("c").await, Ok(7));
        assert_eq!(of("tenants").keys, 3);
        let by_hand = registry().rate_limit("tenants").unwrap();
        assert_eq!(by_hand.try_acquire_for("c"), Ok(()));
        assert!(by_hand.try_acquire_for("c").is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_a_short_text_is_a_key_as_it_is_and_the_rest_is_made_text() {
        #[rate_limit(name = "visitors", rate = "1/s", key = address)]
        async fn visit(address: IpAddr) -> Answer {
            Ok(u32::from(address.is_loopback()))
        }
        #[rate_limit(name = "kinds", rate = "1/s", key = &paying)]
        async fn kind(paying: bool) -> Answer {
            Ok(u32::from(paying))
        }
        #[rate_limit(name = "shares", rate = "1/s", key = share.to_string())]
        async fn share(share: f64) -> Answer {
            Ok(u32::from(share > 0.5))
        }
        for address in ["127.0.0.1", "::1", "2001:db8::1"] {
            assert!(visit(address.parse().unwrap()).await.is_ok());
        }
        assert!(visit(Ipv6Addr::LOCALHOST.into()).await.is_err());
        assert!(kind(true).await.is_ok() && kind(false).await.is_ok() && kind(true).await.is_err());
        assert!(share(0.25).await.is_ok() && share(0.5).await.is_ok() && share(0.25).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_that_waits_holds_up_no_other() {
        #[rate_limit(name = "lines", rate = "1/s", burst = 1, max_wait = "10s", key = id)]
        async fn line(id: u64) -> Answer {
            Ok(7)
        }
        let start = Instant::now();
        assert_eq!(line(1).await, Ok(7));
        let waits = spawned(line(1)).await;
        assert_eq!(line(2).await, Ok(7));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(waits.await.unwrap(), Ok(7));
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_keys_resets_nobodys_allowance() {
        #[rate_limit(name = "flooded", rate = "1/m", burst = 2, key = id, max_keys = 100)]
        async fn flooded(id: u64) -> Answer {
            Ok(7)
        }
        assert_eq!((flooded(0).await, flooded(0).await), (Ok(7), Ok(7)));
        let mut passed = 0;
        for id in 1..10_000 {
            passed += u32::from(flooded(id).await.is_ok());
        }
        // The other keys, and what all further ones share.
        assert_eq!((passed, of("flooded").keys), (99 + 2, 100));
        assert_eq!(flooded(0).await, refused("flooded", 60 * SECOND));
        // Whose burst is whole has nothing to lose.
        advance(120 * SECOND).await;
        for id in 20_000..20_100 {
            assert_eq!((flooded(id).await, flooded(id).await), (Ok(7), Ok(7)), "{id}");
        }
        assert_eq!(of("flooded").keys, 100);
    }

    #[tokio::test(start_paused = true)]
    async fn keys_beyond_the_most_wait_in_one_line() {
        #[rate_limit(name = "rest", rate = "1/s", burst = 1, max_wait = "10s", key = id, max_keys = 1)]
        async fn rest(id: u64) -> Answer {
            Ok(7)
        }
        let start = Instant::now();
        let calls: JoinSet<_> = (0..4).map(rest).collect();
        for answer in calls.join_all().await {
            assert_eq!(answer, Ok(7));
        }
        assert_eq!(start.elapsed(), 2 * SECOND);
    }
}

mod with_others {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_as_long_as_it_is_told() {
        #[retry(max = 3, base = "0s", jitter = "none")]
        #[rate_limit(name = "retried", rate = "1/s")]
        async fn retried() -> Answer {
            Ok(attempt())
        }
        let start = Instant::now();
        assert_eq!(retried().await, Ok(1));
        assert_eq!(retried().await, Ok(2));
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_above_does_not_count_the_refusal() {
        #[circuit_breaker(name = "calm", failure_threshold = 1)]
        #[rate_limit(name = "under", rate = "1/s")]
        async fn under() -> Answer {
            Ok(7)
        }
        assert_eq!(under().await, Ok(7));
        assert_eq!(under().await, refused("under", SECOND));
        assert_eq!(registry().circuit_breaker("calm").unwrap().snapshot().failed, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_answers_the_refusal() {
        #[fallback(value = 0)]
        #[rate_limit(name = "backed", rate = "1/s")]
        async fn backed() -> Result<u32, &'static str> {
            Ok(7)
        }
        assert_eq!((backed().await, backed().await), (Ok(7), Ok(0)));
    }
}

mod configured {
    use super::*;

    #[rate_limit(name = "tuned", rate = "10/s", burst = 10, max_wait = "1h")]
    async fn tuned() -> Answer {
        Ok(7)
    }

    fn tune(set: impl FnOnce(RateLimit) -> RateLimit) {
        configure().rate_limit("tuned", set).install().unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_used_up_stays_used_up() {
        for _ in 0..10 {
            tuned().await.unwrap();
        }
        tune(|tuned| tuned.rate(Rate::per_second(100)).burst(100).max_wait(Duration::ZERO));
        assert_eq!(of("tuned").available, 0);
        assert_eq!(tuned().await, refused("tuned", 10 * MS));
        advance(500 * MS).await;
        assert_eq!(of("tuned").available, 50);
        tune(|tuned| tuned.rate(Rate::per_minute(1)).burst(10).max_wait(Duration::ZERO));
        assert_eq!(of("tuned").available, 5);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_served_at_the_new_rate() {
        let mut calls: JoinSet<_> = (0..20).map(|_| tuned()).collect();
        settle().await;
        assert_eq!(of("tuned").waiting, 10);
        let start = Instant::now();
        tune(|tuned| tuned.rate(Rate::per_second(1_000)));
        while let Some(answer) = calls.join_next().await {
            assert_eq!(answer.unwrap(), Ok(7));
        }
        assert_eq!(start.elapsed(), 10 * MS);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_waits_longer_at_a_lower_rate() {
        let mut calls: JoinSet<_> = (0..12).map(|_| tuned()).collect();
        settle().await;
        let start = Instant::now();
        tune(|tuned| tuned.rate(Rate::per_second(1)));
        while let Some(answer) = calls.join_next().await {
            assert_eq!(answer.unwrap(), Ok(7));
        }
        assert_eq!(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn what_makes_no_sense_is_refused() {
        let faults = configure()
            .rate_limit("tuned", |tuned| tuned.rate(Rate::per_second(0)).burst(0))
            .rate_limit("other", |other| other.rate(Rate::new(5, Duration::from_nanos(1))).max_keys(0))
            .rate_limit("tunde", |tuned| tuned.burst(2))
            .install()
            .unwrap_err();
        let mut said: Vec<_> =
            faults.faults().iter().map(|it| format!("{}: {}", it.path(), it.message)).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "rate_limit.other.max_keys: 0 is less than 1",
                "rate_limit.other.rate: 5/ns is faster than 4294967295 a second, the most",
                "rate_limit.tunde: no function has a rate_limit of this name; did you mean `tuned`?",
                "rate_limit.tuned.burst: 0 is less than 1",
                "rate_limit.tuned.rate: 0/s has no permits, so it would never let a call through",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn reset_fills_the_burst_and_serves_who_waits() {
        let calls: JoinSet<_> = (0..15).map(|_| tuned()).collect();
        settle().await;
        let start = Instant::now();
        assert!(registry().reset("rate_limit", "tuned"));
        assert_eq!((of("tuned").admitted, of("tuned").waiting), (0, 5));
        calls.join_all().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!((of("tuned").admitted, of("tuned").available), (5, 5));
    }
}

#[test]
fn a_clock_that_is_behind_waits_no_longer_than_the_rate() {
    static LIMIT: RateLimit =
        RateLimit::new("two_clocks").rate(Rate::per_second(1)).burst(1).max_wait(Duration::from_secs(5));
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime().block_on(async {
        advance(1_800 * SECOND).await;
        LIMIT.acquire().await.unwrap();
    });
    runtime().block_on(async {
        let start = Instant::now();
        LIMIT.acquire().await.unwrap();
        assert!(start.elapsed() <= SECOND + MS, "{:?}", start.elapsed());
    });
}

#[test]
fn a_line_under_a_clock_that_is_behind_moves_on_past_who_is_never_asked_again() {
    static LIMIT: RateLimit = RateLimit::new("a line of two clocks")
        .rate(Rate::per_second(1))
        .burst(1)
        .max_wait(Duration::from_secs(9));
    let runtime =
        || tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut left_behind = Box::pin(LIMIT.acquire());
    runtime().block_on(async {
        advance(1_800 * SECOND).await;
        LIMIT.acquire().await.unwrap();
        assert!(futures::poll!(left_behind.as_mut()).is_pending());
    });
    runtime().block_on(async {
        let start = Instant::now();
        LIMIT.acquire().await.unwrap();
        assert!(start.elapsed() <= 2 * SECOND + 10 * MS, "{:?}", start.elapsed());
        drop(left_behind);
        LIMIT.acquire().await.unwrap();
        assert!(start.elapsed() <= 3 * SECOND + 10 * MS, "{:?}", start.elapsed());
    });
}

#[test]
fn threads_never_take_more_than_the_burst_and_the_rate() {
    let limit = RateLimit::new("threads").rate(Rate::per_second(20_000)).burst(50);
    let start = std::time::Instant::now();
    let taken = AtomicU32::new(0);
    let draw = || {
        while start.elapsed() < 50 * MS {
            taken.fetch_add(u32::from(limit.try_acquire().is_ok()), SeqCst);
        }
    };
    std::thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(draw))));
    let most = 50.0 + start.elapsed().as_secs_f64() * 20_000.0;
    assert!(f64::from(taken.into_inner()) <= most);
    assert!(limit.snapshot().admitted >= 50);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_says_whose_permits_were_used_up() {
    #[rate_limit(name = "users", rate = "1/s", burst = 1, key = user, max_wait = "1500ms")]
    async fn for_user(user: String) -> Answer {
        Ok(u32::try_from(user.len()).unwrap())
    }
    configure().remember("rejected", true).install().unwrap();
    let events = test_util::record();
    let of = |user: &str| for_user(user.to_owned());
    let (first, other, second, third) = tokio::join!(of("ann"), of("bob"), of("ann"), of("ann"));
    assert_eq!((first, other, second), (Ok(3), Ok(3), Ok(3)));
    third.unwrap_err();
    let limit = RateLimit::new("by hand").rate(Rate::per_second(1)).burst(1);
    limit.try_acquire_for("eve").unwrap();
    limit.try_acquire_for("eve").unwrap_err();
    limit.try_acquire().unwrap();
    limit.try_acquire().unwrap_err();
    let told: Vec<_> = events.events().into_iter().map(|event| (event.policy, event.key)).collect();
    let told: Vec<_> = told.iter().map(|(policy, key)| (*policy, key.as_deref())).collect();
    assert_eq!(told, [("users", Some("ann")), ("by hand", Some("eve")), ("by hand", None)]);
    let kept = registry().recent("rate_limit", "users").unwrap();
    assert_eq!(kept.events[0].key.as_deref(), Some("ann"));
}
