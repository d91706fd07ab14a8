//! `#[cache]` as a user meets it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilient_runtime::{
    Cache, CacheSnapshot, Class, Classify, EventKind, Fault, Rejected, cache, circuit_breaker, coalesce,
    configure, fallback, registry, retry, timeout,
};
use tokio::task::{JoinHandle, yield_now};
use tokio::time::{advance, sleep};

use self::common::spawned;

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<u32, Fault<&'static str>>;

const DOWN: Answer = Err(Fault::Failed("down"));

fn of(name: &str) -> CacheSnapshot {
    registry().cache(name).unwrap().snapshot()
}

mod fresh {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_value_is_answered_until_it_is_as_old_as_ttl() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[cache(ttl = "10s", name = "quotes")]
        async fn quote(sku: &str) -> Answer {
            Ok(RUNS.fetch_add(1, SeqCst) * 10 + u32::try_from(sku.len()).unwrap())
        }
        assert_eq!((quote("tea").await, quote("tea").await), (Ok(3), Ok(3)));
        advance(Duration::from_nanos(9_999_999_999)).await;
        assert_eq!(quote("tea").await, Ok(3));
        advance(Duration::from_nanos(1)).await;
        assert_eq!(quote("tea").await, Ok(13));
        let seen = of("quotes");
        assert_eq!((seen.hits, seen.misses, seen.stored, seen.entries), (2, 2, 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_is_never_kept() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[cache(ttl = "10s", name = "failing")]
        async fn failing() -> Answer {
            match RUNS.fetch_add(1, SeqCst) {
                0 | 1 => DOWN,
                _ => Ok(7),
            }
        }
        assert_eq!((failing().await, failing().await, failing().await), (DOWN, DOWN, Ok(7)));
        assert_eq!((of("failing").stored, of("failing").entries), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn all_arguments_are_the_key() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[cache(ttl = "10s")]
        async fn sum(a: u32, (b, _): (u32, f64), Wrapped { inner }: Wrapped, _: f64, text: &[u8]) -> Answer {
            RUNS.fetch_add(1, SeqCst);
            Ok(a + b + inner + u32::from(text[0]))
        }
        struct Wrapped {
            inner: u32,
        }
        let call = |a, b, inner, text: &'static [u8]| sum(a, (b, 0.5), Wrapped { inner }, 0.5, text);
        assert_eq!(call(1, 2, 3, &[4]).await, Ok(10));
        assert_eq!(call(1, 2, 3, &[4]).await, Ok(10));
        assert_eq!(call(2, 2, 3, &[4]).await, Ok(11));
        assert_eq!(call(1, 1, 3, &[4]).await, Ok(9));
        assert_eq!(call(1, 2, 4, &[4]).await, Ok(11));
        assert_eq!(call(1, 2, 3, &[5]).await, Ok(11));
        assert_eq!(RUNS.load(SeqCst), 5);
    }

    struct Shop {
        tenant: String,
        asked: u32,
    }
    impl Shop {
        #[cache(ttl = "10s", key = (self.tenant.as_str(), sku))]
        async fn quote(&mut self, sku: &str, _trace: f64) -> Answer {
            yield_now().await;
            self.asked += u32::try_from(sku.len()).unwrap();
            Ok(self.asked)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_says_what_makes_a_difference() {
        let mut one = Shop { tenant: "one".into(), asked: 0 };
        let mut two = Shop { tenant: "two".into(), asked: 10 };
        assert_eq!((one.quote("tea", 0.1).await, one.quote("tea", 0.2).await), (Ok(3), Ok(3)));
        assert_eq!((two.quote("tea", 0.1).await, one.quote("milk", 0.1).await), (Ok(13), Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_may_be_made_for_the_call() {
        #[cache(ttl = "10s", key = sku.to_lowercase())]
        async fn quote(sku: String) -> Result<String, Fault<()>> {
            Ok(sku)
        }
        assert_eq!(quote("Tea".into()).await, Ok("Tea".into()));
        assert_eq!(quote("TEA".into()).await, Ok("Tea".into()));
    }

    trait Table {
        const ROWS: u32;
    }
    impl Table for u8 {
        const ROWS: u32 = 1;
    }
    impl Table for u16 {
        const ROWS: u32 = 2;
    }
    struct Of<T>(T);
    #[allow(clippy::use_self, reason = "an instance each")]
    impl<T: Table> Of<T> {
        #[cache(ttl = "10s", name = "tables")]
        async fn rows(_shard: u32) -> Answer {
            Ok(T::ROWS)
        }
    }
    #[cache(ttl = "10s", name = "tables")]
    async fn rows<T: Table>(_shard: u32) -> Answer {
        Ok(T::ROWS * 10)
    }

    #[tokio::test(start_paused = true)]
    async fn functions_and_instances_that_share_a_name_share_no_values() {
        let _ = Of(1).0;
        assert_eq!((rows::<u8>(1).await, rows::<u16>(1).await), (Ok(10), Ok(20)));
        assert_eq!((Of::<u8>::rows(1).await, Of::<u16>::rows(1).await), (Ok(1), Ok(2)));
        assert_eq!((of("tables").entries, of("tables").misses), (4, 4));
    }

    trait Named {
        fn name(&self) -> u32;
    }
    impl Named for &str {
        fn name(&self) -> u32 {
            1
        }
    }
    impl Named for String {
        fn name(&self) -> u32 {
            2
        }
    }
    #[cache(ttl = "10s", key = ())]
    async fn named<N: Named>(name: N) -> Answer {
        Ok(name.name())
    }

    #[tokio::test(start_paused = true)]
    async fn an_instance_may_borrow() {
        let text = String::from("tea");
        assert_eq!((named(text.as_str()).await, named(text.clone()).await), (Ok(1), Ok(2)));
    }

    static CLOCKS: Cache = Cache::new("clocks").ttl(SECOND);

    async fn loads(value: u32) -> Result<u32, Fault<()>> {
        CLOCKS.get_or("tea", || async { Ok(value) }).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_clock_of_another_runtime_makes_nothing_young_for_ever() {
        advance(SECOND * 100).await;
        assert_eq!(loads(1).await, Ok(1));
        let elsewhere = std::thread::spawn(|| {
            let other =
                tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
            other.unwrap().block_on(loads(2))
        });
        assert_eq!(elsewhere.join().unwrap(), Ok(2));
    }
}

mod stale {
    use super::*;

    static HEALTHY: AtomicU32 = AtomicU32::new(1);

    #[cache(ttl = "10s", stale_if_error = "1m", name = "covered")]
    async fn covered(end: Result<u32, Class>) -> Result<u32, Fault<Told>> {
        by_key(end)
    }

    #[derive(Clone, Debug, PartialEq)]
    struct Told(Class);

    impl Classify for Told {
        fn classify(&self) -> Class {
            self.0
        }
    }

    fn by_key(end: Result<u32, Class>) -> Result<u32, Fault<Told>> {
        end.map_err(|class| Fault::Failed(Told(class)))
    }

    #[cache(ttl = "10s", stale_if_error = "1m", name = "told", key = ())]
    async fn told(end: Result<u32, Class>) -> Result<u32, Fault<Told>> {
        by_key(end)
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_answered_with_the_stale_value_up_to_its_bound() {
        let mut events = resilient_runtime::subscribe();
        let down = || told(Err(Class::Transient));
        assert_eq!(told(Ok(7)).await, Ok(7));
        advance(Duration::from_nanos(69_999_999_999)).await;
        assert_eq!(down().await, Ok(7));
        let age = Duration::from_nanos(69_999_999_999);
        assert_eq!(events.recv().await.unwrap().kind, EventKind::ServedStale { age });
        advance(Duration::from_nanos(1)).await;
        assert_eq!(down().await, by_key(Err(Class::Transient)));
        let seen = of("told");
        assert_eq!((seen.hits, seen.misses, seen.stale_on_error, seen.stored), (0, 3, 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn serving_a_stale_value_does_not_make_it_younger() {
        assert_eq!(told(Ok(7)).await, Ok(7));
        for _ in 0..6 {
            advance(SECOND * 11).await;
            assert_eq!(told(Err(Class::Unknown)).await, Ok(7));
        }
        advance(SECOND * 11).await;
        assert!(told(Err(Class::Unknown)).await.is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_is_an_answer_is_passed_on() {
        assert_eq!(told(Ok(7)).await, Ok(7));
        advance(SECOND * 11).await;
        let ignored = Err(Class::Ignored);
        assert_eq!(told(ignored).await, by_key(ignored));
        assert_eq!(told(Err(Class::Transient)).await, Ok(7));
        let permanent = Err(Class::Permanent);
        assert_eq!(told(permanent).await, by_key(permanent));
        assert!(told(Err(Class::Transient)).await.is_err(), "what was true before is not any more");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_answered_with_the_stale_value() {
        #[cache(ttl = "10s", stale_if_error = "1m", name = "refused")]
        #[circuit_breaker(name = "refuses", failure_threshold = 1)]
        async fn refused() -> Answer {
            Ok(7)
        }
        assert_eq!(refused().await, Ok(7));
        registry().circuit_breaker("refuses").unwrap().force_open();
        advance(SECOND * 11).await;
        assert_eq!(refused().await, Ok(7));
        advance(SECOND * 60).await;
        assert!(matches!(refused().await, Err(Fault::Rejected(Rejected::CircuitOpen { .. }))));
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_bound_for_stale_values_a_failure_goes_out() {
        #[cache(ttl = "10s")]
        async fn plain() -> Answer {
            if HEALTHY.load(SeqCst) == 1 { Ok(7) } else { DOWN }
        }
        assert_eq!(plain().await, Ok(7));
        HEALTHY.store(0, SeqCst);
        assert_eq!(plain().await, Ok(7));
        advance(SECOND * 10).await;
        assert_eq!(plain().await, DOWN);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_for_other_keys_do_not_keep_a_value_out() {
        #[cache(ttl = "1h", name = "customers", key = id)]
        async fn customer(id: u32) -> Result<u32, Fault<Told>> {
            if id > 0 {
                return by_key(Err(Class::Permanent));
            }
            sleep(SECOND).await;
            Ok(7)
        }
        let known = spawned(customer(0)).await;
        for unknown in 1..=1_000 {
            assert!(customer(unknown).await.is_err());
        }
        assert_eq!((known.await.unwrap(), customer(0).await), (Ok(7), Ok(7)));
        let seen = of("customers");
        assert_eq!((seen.hits, seen.stored, seen.entries), (1, 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn other_keys_have_no_part_in_it() {
        assert_eq!(covered(Ok(7)).await, Ok(7));
        advance(SECOND * 11).await;
        assert!(covered(Err(Class::Transient)).await.is_err());
    }

    #[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
    enum Plan {
        Answers(u32),
        Fails,
        Hangs,
    }

    #[cache(ttl = "10s", stale_while_revalidate = "1m", name = "renewed", key = ())]
    async fn renewed(plan: Plan) -> Answer {
        sleep(SECOND).await;
        match plan {
            Plan::Answers(value) => Ok(value),
            Plan::Fails => DOWN,
            Plan::Hangs => pending().await,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_renews_and_the_others_get_the_stale_value_at_once() {
        assert_eq!(renewed(Plan::Answers(1)).await, Ok(1));
        advance(SECOND * 11).await;
        let renews = spawned(renewed(Plan::Answers(2))).await;
        let start = tokio::time::Instant::now();
        assert_eq!((renewed(Plan::Answers(3)).await, renewed(Plan::Fails).await), (Ok(1), Ok(1)));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!((renews.await.unwrap(), renewed(Plan::Fails).await), (Ok(2), Ok(2)));
        let seen = of("renewed");
        assert_eq!((seen.hits, seen.misses, seen.stale_while_revalidated, seen.refreshed), (1, 2, 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn who_fails_to_renew_gets_the_stale_value_too() {
        assert_eq!(renewed(Plan::Answers(1)).await, Ok(1));
        advance(SECOND * 11).await;
        assert_eq!(renewed(Plan::Fails).await, Ok(1));
        assert_eq!(renewed(Plan::Answers(2)).await, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn who_renews_and_is_dropped_leaves_it_to_the_next() {
        assert_eq!(renewed(Plan::Answers(1)).await, Ok(1));
        advance(SECOND * 11).await;
        let renews = spawned(renewed(Plan::Hangs)).await;
        assert_eq!(renewed(Plan::Answers(2)).await, Ok(1));
        renews.abort();
        assert!(renews.await.unwrap_err().is_cancelled());
        assert_eq!(renewed(Plan::Answers(2)).await, Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn beyond_its_time_nobody_gets_the_stale_value() {
        assert_eq!(renewed(Plan::Answers(1)).await, Ok(1));
        advance(SECOND * 70).await;
        let first = spawned(renewed(Plan::Answers(2))).await;
        assert_eq!(renewed(Plan::Fails).await, DOWN);
        assert_eq!(first.await.unwrap(), Ok(2));
    }
}

mod bounded {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_least_recently_used_value_makes_room() {
        #[cache(ttl = "10s", max_entries = 2, name = "narrow")]
        async fn narrow(id: u32) -> Answer {
            Ok(id)
        }
        for id in [1, 2, 1, 3] {
            assert_eq!(narrow(id).await, Ok(id));
        }
        let seen = of("narrow");
        assert_eq!((seen.entries, seen.evicted, seen.hits), (2, 1, 1));
        assert_eq!(narrow(1).await, Ok(1));
        assert_eq!(of("narrow").hits, 2);
        assert_eq!(narrow(2).await, Ok(2));
        assert_eq!(of("narrow").hits, 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_keys_stays_within_the_bound() {
        #[cache(ttl = "10s", max_entries = 100, name = "flood", key = id)]
        async fn flood(id: u32, alive: Arc<()>) -> Result<Arc<()>, Fault<()>> {
            Ok(alive)
        }
        let alive = Arc::new(());
        for id in 0..20_000 {
            flood(id, Arc::clone(&alive)).await.unwrap();
            assert!(Arc::strong_count(&alive) <= 101);
        }
        assert_eq!((of("flood").entries, of("flood").evicted), (100, 19_900));
        registry().cache("flood").unwrap().clear();
        assert_eq!(Arc::strong_count(&alive), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_installed_holds_at_once_and_forgets_nothing() {
        #[cache(ttl = "10s", max_entries = 10, name = "tuned")]
        async fn tuned(id: u32) -> Answer {
            Ok(id)
        }
        for id in 0..10 {
            tuned(id).await.unwrap();
        }
        configure().cache("tuned", |tuned| tuned.max_entries(20).ttl(SECOND * 30)).install().unwrap();
        advance(SECOND * 20).await;
        for id in 0..10 {
            tuned(id).await.unwrap();
        }
        assert_eq!((of("tuned").hits, of("tuned").entries), (10, 10));
        configure().cache("tuned", |tuned| tuned.max_entries(3)).install().unwrap();
        assert_eq!((of("tuned").entries, of("tuned").evicted), (3, 7));
    }

    #[tokio::test(start_paused = true)]
    async fn what_makes_no_sense_is_refused() {
        #[cache(ttl = "10s", name = "known")]
        async fn known() -> Answer {
            Ok(7)
        }
        let faults = configure()
            .cache("known", |known| known.ttl(Duration::ZERO).max_entries(0))
            .cache("knwon", |known| known.ttl(SECOND))
            .install()
            .unwrap_err();
        let mut said: Vec<_> =
            faults.faults().iter().map(|it| format!("{}: {}", it.path(), it.message)).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "cache.known.max_entries: 0 is less than 1",
                "cache.known.ttl: 0ns is too short",
                "cache.knwon: no function has a cache of this name; did you mean `known`?",
            ]
        );
        assert_eq!(known().await, Ok(7));
    }
}

mod forgetting {
    use super::*;

    static VERSION: AtomicU32 = AtomicU32::new(0);

    #[cache(ttl = "1h", name = "users")]
    async fn user(id: &str) -> Answer {
        let version = VERSION.fetch_add(1, SeqCst);
        yield_now().await;
        Ok(version + u32::try_from(id.len()).unwrap() * 100)
    }

    #[cache(ttl = "1h", name = "users")]
    async fn user_of(tenant: u32, id: &str) -> Answer {
        Ok(VERSION.fetch_add(1, SeqCst) + tenant + u32::try_from(id.len()).unwrap() * 100)
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_a_tuple_or_all_can_be_forgotten() {
        let users = registry().cache("users").unwrap();
        let (ada, ben) = (user("ada").await, user("benn").await);
        users.invalidate("ada");
        assert_ne!(user("ada").await, ada);
        assert_eq!(user("benn").await, ben);
        let pair = user_of(1, "ada").await;
        users.invalidate("ada");
        assert_eq!(user_of(1, "ada").await, pair);
        users.invalidate(&(1_u32, "ada".to_owned()));
        assert_ne!(user_of(1, "ada").await, pair);
        users.clear();
        assert_ne!(user("benn").await, ben);
        assert!(registry().reset("cache", "users"));
        assert_eq!((users.snapshot().entries, users.snapshot().misses), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_being_loaded_is_forgotten_too() {
        let users = registry().cache("users").unwrap();
        for forget in [|users: &Cache| users.invalidate("cleo"), |users: &Cache| users.clear()] {
            let before = spawned_half(user("cleo")).await;
            forget(users);
            let before = before.await.unwrap().unwrap();
            assert_ne!(user("cleo").await, Ok(before), "it was read before");
        }
    }

    async fn spawned_half<T: Send + 'static>(
        call: impl Future<Output = T> + Send + 'static,
    ) -> JoinHandle<T> {
        let call = tokio::spawn(call);
        yield_now().await;
        call
    }
}

mod with_others {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_hit_touches_no_layer_below() {
        #[cache(ttl = "10s", key = id)]
        #[retry(name = "under")]
        #[circuit_breaker(name = "under", key = id)]
        #[timeout("1s", name = "under")]
        async fn guarded(id: u32, _body: String) -> Answer {
            Ok(id)
        }
        assert_eq!(guarded(1, String::new()).await, Ok(1));
        let before = format!("{:?}", registry().circuit_breaker("under").unwrap().snapshot());
        assert_eq!(guarded(1, String::new()).await, Ok(1));
        assert_eq!(format!("{:?}", registry().circuit_breaker("under").unwrap().snapshot()), before);
    }

    #[tokio::test(start_paused = true)]
    async fn a_miss_of_many_with_coalesce_below_runs_once() {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        #[cache(ttl = "10s")]
        #[coalesce]
        async fn once(sku: String) -> Answer {
            sleep(SECOND).await;
            Ok(RUNS.fetch_add(1, SeqCst) + u32::try_from(sku.len()).unwrap())
        }
        let calls: Vec<_> = (0..100).map(|_| tokio::spawn(once("tea".into()))).collect();
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(3));
        }
        assert_eq!((once("tea".into()).await, RUNS.load(SeqCst)), (Ok(3), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_above_answers_what_no_value_can() {
        #[fallback(value = 0)]
        #[cache(ttl = "10s", stale_if_error = "20s", key = ())]
        async fn backed(up: bool) -> Answer {
            if up { Ok(7) } else { DOWN }
        }
        assert_eq!(backed(false).await, Ok(0));
        assert_eq!(backed(true).await, Ok(7));
        advance(SECOND * 11).await;
        assert_eq!(backed(false).await, Ok(7));
        advance(SECOND * 20).await;
        assert_eq!(backed(false).await, Ok(0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_above_finds_the_value_of_another_call() {
        #[retry(max = 2, base = "1s", jitter = "none")]
        #[cache(ttl = "10s", key = ())]
        async fn retried(up: bool) -> Answer {
            yield_now().await;
            if up { Ok(7) } else { DOWN }
        }
        let (one, two) = tokio::join!(retried(false), retried(true));
        assert_eq!((one, two), (Ok(7), Ok(7)));
    }

    #[tokio::test(start_paused = true)]
    async fn return_types_that_cannot_be_written_are_kept_too() {
        #[cache(ttl = "10s")]
        async fn listed(
            n: u32,
        ) -> Result<impl Iterator<Item = u32> + Clone + Send + Sync + 'static, Fault<()>> {
            Ok(0..n)
        }
        assert_eq!((listed(2).await.unwrap().count(), listed(2).await.unwrap().count()), (2, 2));
    }
}

mod behind_a_trait {
    use super::*;

    #[async_trait::async_trait]
    trait Load {
        async fn load(&self, id: &str) -> Answer;
    }

    struct Table(u32);

    #[async_trait::async_trait]
    impl Load for Table {
        #[cache(ttl = "10s", key = (self.0, id))]
        #[coalesce(key = (self.0, id))]
        async fn load(&self, id: &str) -> Answer {
            yield_now().await;
            Ok(self.0 + u32::try_from(id.len()).unwrap())
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_method_in_a_box_keeps_its_values() {
        let tables: [Box<dyn Load + Send + Sync>; 2] = [Box::new(Table(10)), Box::new(Table(20))];
        let [ten, twenty] = &tables;
        let all = tokio::join!(ten.load("tea"), ten.load("tea"), twenty.load("tea"));
        assert_eq!(all, (Ok(13), Ok(13), Ok(23)));
        assert_eq!(ten.load("tea").await, Ok(13));
    }
}

mod by_hand {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn values_are_kept_by_key_and_type() {
        let mixed = Cache::new("mixed").ttl(SECOND).max_entries(10);
        let number = |n: u32| async move { Ok::<_, Fault<()>>(n) };
        assert_eq!(mixed.get_or("tea", || number(1)).await, Ok(1));
        assert_eq!(mixed.get_or("tea", || number(2)).await, Ok(1));
        assert_eq!(mixed.get_or(&7_u32, || number(3)).await, Ok(3));
        assert_eq!(mixed.get_or("tea", || async { Ok::<_, Fault<()>>("text") }).await, Ok("text"));
        mixed.invalidate("tea");
        assert_eq!(mixed.get_or("tea", || number(4)).await, Ok(4));
        assert_eq!((mixed.snapshot().misses, mixed.name()), (4, "mixed"));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_two_types_and_one_hash_have_a_value_each() {
        let cache = Cache::new("newtypes").ttl(SECOND);
        let number = || async { Ok::<_, Fault<()>>(1) };
        for _ in 0..10 {
            assert_eq!(cache.get_or(&7_u32, number).await, cache.get_or(&7_i32, number).await);
        }
        assert_eq!((cache.snapshot().misses, cache.snapshot().entries), (2, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_that_was_forgotten_while_it_was_loaded_is_not_stored() {
        let cache = Cache::new("outrun").ttl(SECOND);
        let load = || async {
            cache.invalidate("tea");
            Ok::<_, Fault<()>>(1)
        };
        assert_eq!(cache.get_or("tea", load).await, Ok(1));
        assert_eq!((cache.snapshot().entries, cache.snapshot().stored), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_dropped_keeps_nothing() {
        let cache = Cache::new("dropped").ttl(SECOND);
        let hangs = cache.get_or("tea", pending::<Result<u32, Fault<()>>>);
        assert!(tokio::time::timeout(SECOND, hangs).await.is_err());
        assert_eq!((cache.snapshot().entries, cache.snapshot().misses), (0, 1));
    }
}

mod hostile {
    use super::*;

    /// A value whose end calls back into the cache it was in.
    #[derive(Clone)]
    struct Calls(&'static Cache, Arc<AtomicU32>);

    impl Drop for Calls {
        fn drop(&mut self) {
            self.1.fetch_add(1, SeqCst);
            let _ = self.0.snapshot();
            self.0.invalidate(&0_u32);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_value_may_call_back_when_it_goes() {
        static CALLED: Cache = Cache::new("called").ttl(SECOND).max_entries(2);
        let drops = Arc::new(AtomicU32::new(0));
        for id in 0_u32..2_000 {
            let value = std::future::ready(Ok::<_, Fault<()>>(Calls(&CALLED, Arc::clone(&drops))));
            assert!(CALLED.get_or(&id, || value).await.is_ok());
        }
        CALLED.clear();
        let dropped = drops.load(SeqCst);
        assert_eq!(dropped, 4_000, "what the callers got, and what was kept");
    }

    #[derive(Debug)]
    struct Panics(u32);
    impl Clone for Panics {
        fn clone(&self) -> Self {
            assert_ne!(self.0, 0, "cloned");
            Self(self.0)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_clone_that_panics_is_the_calls_panic_and_leaves_the_next_one_free() {
        #[cache(ttl = "10s", stale_while_revalidate = "10s", key = ())]
        async fn panics(value: u32) -> Result<Panics, Fault<()>> {
            Ok(Panics(value))
        }
        assert!(tokio::spawn(panics(0)).await.unwrap_err().is_panic());
        assert_eq!(panics(1).await.unwrap().0, 1);
        advance(SECOND * 11).await;
        assert!(tokio::spawn(panics(0)).await.unwrap_err().is_panic());
        assert_eq!(panics(2).await.unwrap().0, 2);
    }

    /// Of all its values the hash is one.
    #[derive(Clone, PartialEq, Eq)]
    struct Colliding(u32);

    impl std::hash::Hash for Colliding {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }

    #[tokio::test(start_paused = true)]
    async fn keys_of_one_hash_never_get_each_others_value() {
        #[cache(ttl = "10s")]
        #[coalesce]
        async fn colliding(key: Colliding) -> Answer {
            yield_now().await;
            Ok(key.0)
        }
        let (one, two) = tokio::join!(colliding(Colliding(1)), colliding(Colliding(2)));
        assert_eq!((one, two), (Ok(1), Ok(2)));
        assert_eq!((colliding(Colliding(1)).await, colliding(Colliding(2)).await), (Ok(1), Ok(2)));
    }
}
