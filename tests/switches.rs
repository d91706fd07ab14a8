//! `enabled` of every policy: off by attribute and on by configuration, on and off while calls are under way.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilient_runtime::{
    Bulkhead, CircuitCause, CircuitState, EventKind, Fault, Mode, Rejected, Snapshot, attempt, bulkhead,
    cache, circuit_breaker, coalesce, configure, deadline, fallback, hedge, load_shed, rate_limit, registry,
    retry, test_util, timeout,
};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

use self::common::{settle, spawned};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const OFF: bool = false;

type Answer = Result<u32, Fault<&'static str>>;

const DOWN: Answer = Err(Fault::Failed("down"));

fn snapshot(stem: &str, name: &str) -> Snapshot {
    registry().snapshot(stem, name).expect("a function declares it")
}

mod of_a_retry {
    use super::*;

    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[retry(max = 3, base = "0s", name = "once", enabled = false)]
    async fn off() -> Result<u32, u32> {
        Err(attempt())
    }

    #[retry(max = 3, base = "0s", name = "thrice")]
    async fn on() -> Result<u32, u32> {
        Err(attempt())
    }

    #[retry(max = 2, base = "0s", name = "around")]
    async fn around() -> Result<u32, u32> {
        off().await
    }

    #[retry(max = 2, base = "1s", name = "slow")]
    async fn slow() -> Answer {
        RUNS.fetch_add(1, SeqCst);
        sleep(SECOND).await;
        DOWN
    }

    #[tokio::test(start_paused = true)]
    async fn it_makes_one_attempt_and_says_nothing_of_it() {
        let events = test_util::record();
        assert_eq!(off().await, Err(1));
        assert_eq!(events.words("once"), [""; 0]);
        let Snapshot::Retry(snapshot) = snapshot("retry", "once") else { panic!() };
        assert_eq!((snapshot.enabled, snapshot.max, snapshot.exhausted, snapshot.retries), (false, 3, 1, 0));
        assert_eq!(snapshot.budget_left, None, "no budget hears of it");
    }

    #[tokio::test(start_paused = true)]
    async fn the_attempt_is_that_of_the_retry_around_it() {
        assert_eq!(around().await, Err(2));
        let Snapshot::Retry(snapshot) = snapshot("retry", "around") else { panic!() };
        assert_eq!((snapshot.exhausted, snapshot.retries, snapshot.nested), (1, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn calls_while_it_is_off_earn_no_retries() {
        let left = || registry().budget("default").map(|budget| budget.left);
        configure().budget("default", |b| b.capacity(5).credit(1.0).reserve(0)).install().unwrap();
        assert_eq!(on().await, Err(3));
        assert_eq!(left(), Some(3), "two of five are used, for there was no room for what the call earned");
        let off = configure().budget("default", |b| b.capacity(5).credit(1.0).reserve(0));
        off.retry("thrice", |r| r.enabled(false)).install().unwrap();
        for _ in 0..10 {
            assert_eq!(on().await, Err(1));
        }
        assert_eq!(left(), Some(3));
        configure().budget("default", |b| b.capacity(5).credit(1.0).reserve(0)).install().unwrap();
        assert_eq!((on().await, left()), (Err(3), Some(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_configuration_switches_it_on() {
        configure().retry("once", |r| r.enabled(true)).install().unwrap();
        assert_eq!(off().await, Err(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_began_while_it_was_off_makes_one_attempt() {
        configure().retry("slow", |r| r.enabled(false)).install().unwrap();
        let call = spawned(slow()).await;
        configure().install().unwrap();
        assert_eq!((call.await.unwrap(), RUNS.swap(0, SeqCst)), (DOWN, 1));
        let call = spawned(slow()).await;
        assert_eq!((call.await.unwrap(), RUNS.swap(0, SeqCst)), (DOWN, 2));
    }
}

mod of_a_breaker {
    use super::*;

    #[circuit_breaker(name = "off", failure_threshold = 1, enabled = OFF)]
    async fn off() -> Answer {
        DOWN
    }

    #[circuit_breaker(name = "live", failure_threshold = 1)]
    async fn live() -> Answer {
        DOWN
    }

    #[circuit_breaker(name = "keyed", failure_threshold = 1, key = tenant)]
    async fn keyed(tenant: &str) -> Result<usize, Fault<&'static str>> {
        if tenant.is_empty() { Ok(0) } else { Err(Fault::Failed("down")) }
    }

    fn state(name: &str) -> CircuitState {
        registry().circuit_breaker(name).expect("a function declares it").state()
    }

    #[tokio::test(start_paused = true)]
    async fn it_passes_everything_and_counts_nothing() {
        for _ in 0..3 {
            assert_eq!(off().await, DOWN);
        }
        let snapshot = registry().circuit_breaker("off").unwrap().snapshot();
        assert_eq!((snapshot.enabled, snapshot.state, snapshot.failed), (false, CircuitState::Disabled, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_one_that_is_switched_off_and_on_is_closed() {
        live().await.unwrap_err();
        assert_eq!(state("live"), CircuitState::Open);
        let events = test_util::record();
        configure().circuit_breaker("live", |b| b.enabled(false)).install().unwrap();
        assert_eq!(live().await, DOWN);
        configure().install().unwrap();
        assert_eq!(state("live"), CircuitState::Closed);
        let moves = events.kinds("live").into_iter().map(|kind| match kind {
            EventKind::StateChanged { from, to, cause, .. } => (from, to, cause),
            other => panic!("{other:?}"),
        });
        let (open, disabled, closed) = (CircuitState::Open, CircuitState::Disabled, CircuitState::Closed);
        let expected =
            [(open, disabled, CircuitCause::Configured), (disabled, closed, CircuitCause::Configured)];
        assert_eq!(moves.collect::<Vec<_>>(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_done_by_hand_goes_first() {
        live().await.unwrap_err();
        let breaker = registry().circuit_breaker("live").unwrap();
        breaker.force_open();
        configure().circuit_breaker("live", |b| b.enabled(false)).install().unwrap();
        assert_eq!(breaker.state(), CircuitState::ForcedOpen);
        breaker.resume();
        assert_eq!(breaker.state(), CircuitState::Disabled);
        breaker.observe();
        assert_eq!(breaker.state(), CircuitState::Observing);
        breaker.reset();
        assert_eq!(breaker.state(), CircuitState::Disabled);
        breaker.disable();
        configure().install().unwrap();
        assert_eq!(breaker.state(), CircuitState::Disabled);
        breaker.resume();
        assert_eq!(breaker.state(), CircuitState::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn every_key_is_let_through_while_it_is_off() {
        keyed("a").await.unwrap_err();
        configure().circuit_breaker("keyed", |b| b.enabled(false)).install().unwrap();
        for tenant in ["a", "b"] {
            assert_eq!(keyed(tenant).await, Err(Fault::Failed("down")));
            assert_eq!(
                registry().circuit_breaker("keyed").unwrap().state_of(tenant),
                Some(CircuitState::Disabled)
            );
        }
        configure().install().unwrap();
        for tenant in ["a", "b"] {
            assert_eq!(keyed(tenant).await, Err(Fault::Failed("down")));
            assert!(matches!(keyed(tenant).await, Err(Fault::Rejected(Rejected::CircuitOpen { .. }))));
        }
    }
}

mod of_a_fallback {
    use super::*;

    #[fallback(value = 0, name = "none", enabled = false)]
    async fn off() -> Answer {
        DOWN
    }

    #[fallback(value = 0, name = "zero")]
    async fn on() -> Answer {
        DOWN
    }

    #[fallback(cached, name = "recalled")]
    async fn recalled(ok: bool) -> Answer {
        static DOWN_NOW: AtomicU32 = AtomicU32::new(0);
        let _ = ok;
        if DOWN_NOW.fetch_add(1, SeqCst) == 0 { Ok(1) } else { DOWN }
    }

    #[tokio::test(start_paused = true)]
    async fn it_passes_the_error_on() {
        assert_eq!(off().await, DOWN);
        let Snapshot::Fallback(snapshot) = snapshot("fallback", "none") else { panic!() };
        assert_eq!((snapshot.enabled, snapshot.served, snapshot.passed_on), (false, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_configuration_switches_it() {
        assert_eq!(on().await, Ok(0));
        configure()
            .fallback("zero", |f| f.enabled(false))
            .fallback("none", |f| f.enabled(true))
            .install()
            .unwrap();
        assert_eq!((on().await, off().await), (DOWN, Ok(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_it_remembers_stays_until_it_is_on_again() {
        assert_eq!(recalled(true).await, Ok(1));
        configure().fallback("recalled", |f| f.enabled(false)).install().unwrap();
        assert_eq!(recalled(true).await, DOWN);
        configure().install().unwrap();
        assert_eq!(recalled(true).await, Ok(1));
    }
}

mod of_a_timeout {
    use super::*;

    #[timeout("1s", name = "endless", enabled = false)]
    async fn off() -> Result<bool, Fault<()>> {
        sleep(MINUTE).await;
        Ok(deadline().is_none())
    }

    #[timeout("1s", name = "asking", enabled = false)]
    async fn asking() -> Result<(), Fault<()>> {
        assert!(deadline().is_some(), "that of the timeout around it");
        sleep(MINUTE).await;
        Ok(())
    }

    #[timeout("10s")]
    async fn around_asking() -> Result<(), Fault<()>> {
        asking().await
    }

    #[timeout("1s", name = "short")]
    async fn on() -> Result<(), Fault<()>> {
        sleep(MINUTE).await;
        Ok(())
    }

    #[timeout("10s")]
    async fn around() -> Result<bool, Fault<()>> {
        off().await
    }

    #[tokio::test(start_paused = true)]
    async fn it_sets_no_deadline() {
        assert_eq!(off().await, Ok(true));
        let snapshot = snapshot("timeout", "endless");
        assert_eq!((snapshot.is_enabled(), snapshot.observes()), (false, Some(false)));
        let Snapshot::Timeout(snapshot) = snapshot else { panic!() };
        assert_eq!((snapshot.enabled, snapshot.limit, snapshot.succeeded), (false, SECOND, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_around_it_stays() {
        let start = Instant::now();
        assert!(matches!(around().await, Err(Fault::Rejected(Rejected::TimedOut { .. }))));
        assert_eq!(start.elapsed(), 10 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_the_deadline_around_it_does_not_make_it_its_own() {
        assert!(
            matches!(around_asking().await, Err(Fault::Rejected(Rejected::TimedOut { limit, .. })) if limit == 10 * SECOND)
        );
        let Snapshot::Timeout(snapshot) = snapshot("timeout", "asking") else { panic!() };
        assert_eq!((snapshot.timed_out, snapshot.abandoned), (0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_keeps_what_it_began_with() {
        let armed = spawned(on()).await;
        configure().timeout("short", |t| t.enabled(false)).install().unwrap();
        let unbounded = spawned(on()).await;
        configure().install().unwrap();
        assert!(armed.await.unwrap().is_err());
        assert_eq!(unbounded.await.unwrap(), Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn one_made_by_hand_can_be_off_too() {
        let call = || async {
            sleep(MINUTE).await;
            Ok::<_, Rejected>(7)
        };
        let off = resilient_runtime::Timeout::new(SECOND).enabled(false);
        assert_eq!(off.call(call()).await, Ok(7));
        let named = registry().timeout("endless").unwrap();
        assert_eq!(named.call(call()).await, Ok(7));
        assert!(named.enabled(true).call(call()).await.is_err());
        assert_eq!(named.limit(SECOND).call(call()).await, Ok(7), "still off");
    }

    #[tokio::test(start_paused = true)]
    async fn what_cannot_fit_is_no_fault_while_it_is_off() {
        #[timeout("5s", name = "all")]
        #[retry(max = 3, base = "1s", jitter = "none", name = "waits")]
        async fn both() -> Result<(), Fault<()>> {
            Ok(())
        }
        both().await.unwrap();
        let long = || configure().retry("waits", |r| r.base(8 * SECOND));
        assert!(long().install().is_err());
        long().timeout("all", |t| t.enabled(false)).install().unwrap();
        let off = |r: resilient_runtime::Retry| r.base(8 * SECOND).enabled(false);
        configure().retry("waits", off).install().unwrap();
    }
}

mod of_a_bulkhead {
    use super::*;

    #[bulkhead(name = "wide", max_concurrent = 1, enabled = false)]
    async fn off() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    #[bulkhead(name = "two", max_concurrent = 2, max_wait = "30s")]
    async fn two() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    fn load(name: &str) -> (u64, u64) {
        let snapshot = registry().bulkhead(name).unwrap().snapshot();
        (snapshot.running, snapshot.waiting)
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_runs_and_is_counted() {
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(off())).collect();
        settle().await;
        let snapshot = registry().bulkhead("wide").unwrap().snapshot();
        assert_eq!((snapshot.enabled, snapshot.max_concurrent, snapshot.running), (false, 1, 5));
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(load("wide"), (0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_let_in_when_it_is_switched_off() {
        let start = Instant::now();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(two())).collect();
        settle().await;
        assert_eq!(load("two"), (2, 3));
        configure().bulkhead("two", |b| b.enabled(false)).install().unwrap();
        settle().await;
        assert_eq!(load("two"), (5, 0));
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(start.elapsed(), SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn who_came_in_while_it_was_off_holds_a_place_when_it_is_on() {
        let start = Instant::now();
        configure().bulkhead("two", |b| b.enabled(false)).install().unwrap();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(two())).collect();
        settle().await;
        configure().install().unwrap();
        assert_eq!(load("two"), (5, 0));
        let late = spawned(two()).await;
        assert_eq!(load("two"), (5, 1));
        assert_eq!(late.await.unwrap(), Ok(7));
        assert_eq!(start.elapsed(), 2 * SECOND);
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(load("two"), (0, 0));
        let again: Vec<_> = (0..3).map(|_| tokio::spawn(two())).collect();
        settle().await;
        assert_eq!(load("two"), (2, 1), "both places came back, and no more");
        drop(again);
    }
}

mod of_a_rate_limit {
    use super::*;

    #[rate_limit(name = "free", rate = "1/m", enabled = false)]
    async fn off() -> Answer {
        Ok(7)
    }

    #[rate_limit(name = "slow", rate = "1/m", max_wait = "10m")]
    async fn slow() -> Answer {
        Ok(7)
    }

    #[rate_limit(name = "per tenant", rate = "1/m", key = tenant)]
    async fn per_tenant(tenant: &str) -> Result<usize, Fault<()>> {
        Ok(tenant.len())
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_needs_a_permit() {
        for _ in 0..5 {
            assert_eq!(off().await, Ok(7));
        }
        let limit = registry().rate_limit("free").unwrap();
        let snapshot = limit.snapshot();
        assert_eq!((snapshot.enabled, snapshot.available, snapshot.admitted), (false, 1, 5));
        assert_eq!(limit.try_acquire_many(1_000), Ok(()));
        assert_eq!(limit.acquire_many(1_000).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_starts_when_it_is_switched_off() {
        let start = Instant::now();
        let calls: Vec<_> = (0..4).map(|_| tokio::spawn(slow())).collect();
        settle().await;
        assert_eq!(registry().rate_limit("slow").unwrap().snapshot().waiting, 3);
        configure().rate_limit("slow", |r| r.enabled(false)).install().unwrap();
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(registry().rate_limit("slow").unwrap().snapshot().waiting, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_used_before_is_still_used_when_it_is_on_again() {
        let start = Instant::now();
        slow().await.unwrap();
        configure().rate_limit("slow", |r| r.enabled(false)).install().unwrap();
        slow().await.unwrap();
        sleep(20 * SECOND).await;
        configure().install().unwrap();
        slow().await.unwrap();
        assert_eq!(start.elapsed(), MINUTE);
    }

    #[tokio::test(start_paused = true)]
    async fn every_key_is_let_in_and_spends_nothing_while_it_is_off() {
        per_tenant("a").await.unwrap();
        configure().rate_limit("per tenant", |r| r.enabled(false)).install().unwrap();
        for tenant in ["a", "a", "b", "b"] {
            assert_eq!(per_tenant(tenant).await, Ok(1));
        }
        configure().install().unwrap();
        assert!(per_tenant("a").await.is_err());
        assert_eq!(per_tenant("b").await, Ok(1));
    }
}

mod of_a_load_shedder {
    use super::*;

    #[load_shed(name = "open", max_limit = 1, min_limit = 1, initial_limit = 1, enabled = false)]
    async fn off() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    #[load_shed(name = "tight", max_limit = 1, min_limit = 1, initial_limit = 1)]
    async fn tight() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    #[load_shed(name = "throttle", mode = "throttle", min_calls = 1, k = 1.0)]
    async fn throttled() -> Answer {
        DOWN
    }

    #[tokio::test(start_paused = true)]
    async fn everybody_is_let_in() {
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(off())).collect();
        settle().await;
        let snapshot = registry().load_shed("open").unwrap().snapshot();
        assert_eq!((snapshot.enabled, snapshot.running, snapshot.rejected.total()), (false, 5, 0));
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(registry().load_shed("open").unwrap().snapshot().running, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_came_in_while_it_was_off_counts_when_it_is_on() {
        configure().load_shed("tight", |s| s.enabled(false)).install().unwrap();
        let calls: Vec<_> = (0..3).map(|_| tokio::spawn(tight())).collect();
        settle().await;
        configure().install().unwrap();
        assert!(tight().await.is_err());
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(registry().load_shed("tight").unwrap().snapshot().running, 0);
        assert_eq!(tight().await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_refuses_none_while_it_is_off_and_counts_them() {
        test_util::seed(7);
        configure().load_shed("throttle", |s| s.enabled(false)).install().unwrap();
        for _ in 0..100 {
            assert_eq!(throttled().await, DOWN);
        }
        configure().install().unwrap();
        let mut refused = 0;
        for _ in 0..100 {
            refused += u32::from(throttled().await != DOWN);
        }
        assert!(refused > 50, "{refused}");
    }
}

mod of_a_hedge {
    use super::*;

    #[hedge(after = "1s", max = 3, name = "single", enabled = false)]
    async fn off() -> Result<u32, io::Error> {
        sleep(MINUTE).await;
        Ok(attempt())
    }

    #[hedge(after = "1s", max = 3, name = "hedged")]
    async fn on() -> Result<u32, io::Error> {
        sleep(if attempt() == 1 { MINUTE } else { SECOND }).await;
        Ok(attempt())
    }

    #[tokio::test(start_paused = true)]
    async fn it_makes_one_attempt() {
        let start = Instant::now();
        assert_eq!(off().await.unwrap(), 1);
        assert_eq!(start.elapsed(), MINUTE);
        let Snapshot::Hedge(snapshot) = snapshot("hedge", "single") else { panic!() };
        assert_eq!((snapshot.enabled, snapshot.max, snapshot.first, snapshot.hedges), (false, 3, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_keeps_what_it_began_with() {
        let (first, second) = (spawned(on()).await, {
            configure().hedge("hedged", |h| h.enabled(false)).install().unwrap();
            spawned(on()).await
        });
        configure().install().unwrap();
        assert_eq!((first.await.unwrap().unwrap(), second.await.unwrap().unwrap()), (2, 1));
    }
}

mod of_a_cache {
    use super::*;

    static RUNS: AtomicU32 = AtomicU32::new(0);

    #[cache(ttl = "1m", name = "fresh")]
    async fn fresh(id: u32) -> Result<u32, Fault<()>> {
        Ok(id + RUNS.fetch_add(1, SeqCst))
    }

    #[cache(ttl = "1s", stale_if_error = "1h", name = "unread", enabled = false)]
    async fn unread(ok: bool) -> Answer {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        if ok && RUNS.fetch_add(1, SeqCst) == 0 { Ok(1) } else { DOWN }
    }

    #[tokio::test(start_paused = true)]
    async fn it_neither_reads_nor_writes() {
        assert_eq!((unread(true).await, unread(true).await), (Ok(1), DOWN));
        let snapshot = registry().cache("unread").unwrap().snapshot();
        assert_eq!((snapshot.enabled, snapshot.entries, snapshot.stored, snapshot.misses), (false, 0, 0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_it_holds_is_found_when_it_is_on_again() {
        assert_eq!(fresh(0).await, Ok(0));
        configure().cache("fresh", |c| c.enabled(false)).install().unwrap();
        assert_eq!(fresh(0).await, Ok(1));
        configure().install().unwrap();
        assert_eq!(fresh(0).await, Ok(0));
    }
}

mod of_a_coalescer {
    use super::*;

    #[coalesce(name = "single", enabled = false)]
    async fn off(id: u32) -> Result<u32, Fault<()>> {
        sleep(SECOND).await;
        Ok(id)
    }

    #[coalesce(name = "shared")]
    async fn on(id: u32) -> Result<u32, Fault<()>> {
        sleep(SECOND).await;
        Ok(id)
    }

    #[tokio::test(start_paused = true)]
    async fn each_call_runs_by_itself() {
        assert_eq!(tokio::join!(off(1), off(1)), (Ok(1), Ok(1)));
        let snapshot = registry().coalesce("single").unwrap().snapshot();
        assert_eq!((snapshot.enabled, snapshot.alone, snapshot.flights), (false, 2, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_the_answer_all_the_same() {
        let (leader, waiting) = (spawned(on(1)).await, spawned(on(1)).await);
        configure().coalesce("shared", |c| c.enabled(false)).install().unwrap();
        let alone = spawned(on(1)).await;
        for call in [leader, waiting, alone] {
            assert_eq!(call.await.unwrap(), Ok(1));
        }
        let snapshot = registry().coalesce("shared").unwrap().snapshot();
        assert_eq!((snapshot.flights, snapshot.joined, snapshot.alone), (1, 1, 1));
        assert_eq!((snapshot.in_flight, snapshot.waiting), (0, 0));
    }
}

mod of_a_budget {
    use super::*;

    #[retry(max = 3, base = "0s", budget = "tiny")]
    async fn retried() -> Result<u32, u32> {
        Err(attempt())
    }

    #[tokio::test(start_paused = true)]
    async fn it_pays_for_everything() {
        let broke = || configure().budget("tiny", |b| b.capacity(0).reserve(0));
        broke().install().unwrap();
        assert_eq!(retried().await, Err(1));
        broke().budget("tiny", |b| b.enabled(false)).install().unwrap();
        for _ in 0..5 {
            assert_eq!(retried().await, Err(3));
        }
        let budget = registry().budget("tiny").unwrap();
        assert_eq!((budget.enabled, budget.spent, budget.refused), (false, 10, 1));
        broke().install().unwrap();
        assert_eq!(retried().await, Err(1));
    }
}

/// On real threads: nobody is where settings change while calls come, wait, run and are dropped.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn places_are_neither_lost_nor_made_while_a_bulkhead_is_switched_to_and_fro() {
    #[bulkhead(name = "switched", max_concurrent = 3, max_wait = "1ms", max_queue = 8)]
    async fn switched(yields: u32) -> Result<(), Rejected> {
        for _ in 0..yields {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
    static STOP: AtomicBool = AtomicBool::new(false);
    async fn call(number: u32) {
        if number.is_multiple_of(5) {
            // Dropped where it stands: in the queue, or in its place.
            let _ = futures::poll!(pin!(switched(u32::MAX)));
        } else {
            let _ = switched(number % 7).await;
        }
    }
    async fn caller() -> u64 {
        let mut calls = 0;
        while !STOP.load(SeqCst) {
            call(calls).await;
            calls += 1;
            yield_now().await;
        }
        calls.into()
    }
    let callers: Vec<_> = (0..8).map(|_| tokio::spawn(caller())).collect();
    let modes =
        [(true, Mode::Observe), (false, Mode::Enforce), (true, Mode::Enforce), (false, Mode::Observe)];
    for (places, (enabled, mode)) in (1..=5).cycle().zip(modes.repeat(50)) {
        let set = |b: Bulkhead| b.enabled(enabled).mode(mode).max_concurrent(places);
        configure().bulkhead("switched", set).install().unwrap();
        assert!(registry().bulkhead("switched").unwrap().snapshot().waiting <= 8);
    }
    STOP.store(true, SeqCst);
    let mut calls = 0;
    for caller in callers {
        calls += caller.await.unwrap();
    }
    configure().install().unwrap();
    let bulkhead = registry().bulkhead("switched").unwrap();
    let seen = bulkhead.snapshot();
    assert!(seen.waited > 0 && seen.abandoned > 0 && seen.would_wait > 0, "{seen:?}");
    assert_eq!((seen.running, seen.waiting), (0, 0), "{seen:?}");
    assert_eq!(seen.admitted + seen.rejected + seen.abandoned, calls, "{seen:?}");
    let permits: Vec<_> = (0..4).map(|_| bulkhead.try_acquire()).collect();
    assert_eq!(permits.iter().filter(|permit| permit.is_ok()).count(), 3);
    drop(permits);
    assert_eq!(bulkhead.snapshot().running, 0);
}
