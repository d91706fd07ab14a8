//! `mode = "observe"` of every policy that refuses: nothing is refused, and what would have been is told.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use resilient_runtime::{
    CircuitState, EventKind, Fault, Mode, Priority, Rate, RateLimitSnapshot, Rejected, ShedMode, Snapshot,
    Timeout, bulkhead, circuit_breaker, configure, deadline, load_shed, rate_limit, registry, retry,
    test_util, timeout, with_priority,
};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use self::common::{settle, spawned};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

type Answer = Result<u32, Fault<&'static str>>;

const DOWN: Answer = Err(Fault::Failed("down"));

mod of_a_breaker {
    use super::*;

    #[circuit_breaker(name = "watched", failure_threshold = 2, mode = "observe")]
    async fn watched(ok: bool) -> Answer {
        if ok { Ok(1) } else { DOWN }
    }

    #[circuit_breaker(name = "live", failure_threshold = 2)]
    async fn live(ok: bool) -> Answer {
        if ok { Ok(1) } else { DOWN }
    }

    fn states(name: &str) -> (CircuitState, CircuitState) {
        let snapshot = registry().circuit_breaker(name).unwrap().snapshot();
        (snapshot.state, snapshot.would_be)
    }

    #[tokio::test(start_paused = true)]
    async fn it_would_open_and_refuses_nothing() {
        let events = test_util::record();
        for _ in 0..4 {
            assert_eq!(watched(false).await, DOWN);
        }
        assert_eq!(states("watched"), (CircuitState::Observing, CircuitState::Open));
        assert_eq!(events.words("watched"), ["would_change_state", "would_reject", "would_reject"]);
        let snapshot = registry().circuit_breaker("watched").unwrap().snapshot();
        assert_eq!((snapshot.enabled, snapshot.rejected, snapshot.would_reject), (true, 0, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn an_open_one_lets_everything_through_from_then_on() {
        for _ in 0..2 {
            live(false).await.unwrap_err();
        }
        configure().circuit_breaker("live", |b| b.mode(Mode::Observe)).install().unwrap();
        assert_eq!(states("live"), (CircuitState::Observing, CircuitState::Open));
        assert_eq!(live(true).await, Ok(1));
        configure().circuit_breaker("live", |b| b.mode(Mode::Enforce)).install().unwrap();
        assert_eq!(states("live"), (CircuitState::Closed, CircuitState::Closed), "it starts afresh");
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_one_keeps_what_it_learned() {
        live(false).await.unwrap_err();
        configure().circuit_breaker("live", |b| b.mode(Mode::Observe)).install().unwrap();
        configure().install().unwrap();
        live(false).await.unwrap_err();
        assert_eq!(states("live").0, CircuitState::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn off_goes_before_observing_and_a_hand_before_both() {
        let breaker = registry().circuit_breaker("watched").unwrap();
        assert_eq!(breaker.state(), CircuitState::Observing);
        configure().circuit_breaker("watched", |b| b.enabled(false)).install().unwrap();
        assert_eq!(breaker.state(), CircuitState::Disabled);
        breaker.force_open();
        assert!(watched(true).await.is_err());
        configure().install().unwrap();
        assert_eq!(breaker.state(), CircuitState::ForcedOpen);
        breaker.resume();
        assert_eq!(breaker.state(), CircuitState::Observing);
        breaker.disable();
        assert_eq!(breaker.state(), CircuitState::Disabled);
        breaker.reset();
        assert_eq!(breaker.state(), CircuitState::Observing);
    }
}

mod of_a_timeout {
    use super::*;

    #[timeout("1s", name = "watched", mode = "observe")]
    async fn watched(time: Duration) -> Result<bool, Fault<()>> {
        sleep(time).await;
        Ok(deadline().is_none())
    }

    #[timeout("5s")]
    async fn around(time: Duration) -> Result<bool, Fault<()>> {
        watched(time).await
    }

    #[timeout("1s", name = "asking", mode = "observe")]
    async fn asking() -> Result<(), Fault<()>> {
        assert!(deadline().is_some(), "that of the timeout around it");
        sleep(MINUTE).await;
        Ok(())
    }

    #[timeout("5s")]
    async fn around_asking() -> Result<(), Fault<()>> {
        asking().await
    }

    #[timeout("1s", name = "live")]
    async fn live() -> Result<(), Fault<()>> {
        sleep(MINUTE).await;
        Ok(())
    }

    fn counted(name: &str) -> (u64, u64, u64) {
        let Some(Snapshot::Timeout(timeout)) = registry().snapshot("timeout", name) else {
            panic!("no {name}")
        };
        (timeout.succeeded, timeout.timed_out, timeout.would_time_out)
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_is_told_of_when_its_time_is_up_and_goes_on() {
        let (events, start) = (test_util::record(), Instant::now());
        assert_eq!(watched(SECOND / 2).await, Ok(true));
        assert_eq!(counted("watched"), (1, 0, 0));
        assert_eq!(watched(MINUTE).await, Ok(true));
        assert_eq!(counted("watched"), (2, 0, 1));
        let told = events.events();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].kind, EventKind::WouldTimeOut { limit: SECOND });
        assert_eq!(told[0].at - start, 3 * SECOND / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_deadline_around_it_stays() {
        let start = Instant::now();
        assert!(
            matches!(around(MINUTE).await, Err(Fault::Rejected(Rejected::TimedOut { limit, .. })) if limit == 5 * SECOND)
        );
        assert_eq!((start.elapsed(), counted("watched")), (5 * SECOND, (0, 0, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_for_the_deadline_around_it_does_not_make_it_its_own() {
        let (events, start) = (test_util::record(), Instant::now());
        assert!(
            matches!(around_asking().await, Err(Fault::Rejected(Rejected::TimedOut { limit, .. })) if limit == 5 * SECOND)
        );
        assert_eq!((start.elapsed(), counted("asking")), (5 * SECOND, (0, 0, 1)));
        assert_eq!(events.events()[0].at - start, SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_keeps_what_it_began_with() {
        let enforced = spawned(live()).await;
        configure().timeout("live", |t| t.mode(Mode::Observe)).install().unwrap();
        let observed = spawned(live()).await;
        configure().install().unwrap();
        assert!(enforced.await.unwrap().is_err());
        assert_eq!(observed.await.unwrap(), Ok(()));
        assert_eq!(counted("live"), (1, 1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn no_limit_is_too_short_to_let_a_call_end() {
        let call = || async {
            sleep(SECOND).await;
            Ok::<_, Rejected>(7)
        };
        let named = registry().timeout("live").unwrap().mode(Mode::Observe);
        for limit in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            assert_eq!(named.limit(limit).call(call()).await, Ok(7));
        }
        assert_eq!(counted("live"), (3, 0, 2));
        assert_eq!(Timeout::new(Duration::ZERO).mode(Mode::Observe).call(call()).await, Ok(7));
    }
}

mod of_a_bulkhead {
    use super::*;

    #[bulkhead(name = "watched", max_concurrent = 2, mode = "observe")]
    async fn watched() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    #[bulkhead(name = "queued", max_concurrent = 1, max_wait = "1m", max_queue = 2)]
    async fn queued() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    async fn all(calls: Vec<JoinHandle<Answer>>) {
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_places_run_and_are_counted() {
        let events = test_util::record();
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(watched())).collect();
        settle().await;
        let bulkhead = registry().bulkhead("watched").unwrap();
        let snapshot = bulkhead.snapshot();
        assert_eq!((snapshot.observes, snapshot.running, snapshot.admitted), (true, 5, 5));
        assert_eq!((snapshot.would_reject, snapshot.would_wait, snapshot.rejected), (3, 0, 0));
        assert_eq!(events.words("watched"), ["would_reject"; 3]);
        let permit = bulkhead.try_acquire().unwrap();
        all(calls).await;
        drop(permit);
        assert_eq!((bulkhead.snapshot().running, bulkhead.snapshot().would_reject), (0, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn who_could_wait_would_wait() {
        let events = test_util::record();
        configure().bulkhead("queued", |b| b.mode(Mode::Observe)).install().unwrap();
        let start = Instant::now();
        all((0..5).map(|_| tokio::spawn(queued())).collect()).await;
        let snapshot = registry().bulkhead("queued").unwrap().snapshot();
        assert_eq!((snapshot.would_wait, snapshot.would_reject, snapshot.waited), (2, 2, 0));
        assert_eq!((start.elapsed(), events.words("queued")), (SECOND, vec!["would_reject"; 2]));
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_when_it_begins_to_observe_is_let_in() {
        let start = Instant::now();
        let calls: Vec<_> = (0..3).map(|_| tokio::spawn(queued())).collect();
        settle().await;
        configure().bulkhead("queued", |b| b.mode(Mode::Observe)).install().unwrap();
        all(calls).await;
        assert_eq!(start.elapsed(), SECOND);
        configure().install().unwrap();
        let start = Instant::now();
        all((0..3).map(|_| tokio::spawn(queued())).collect()).await;
        assert_eq!(start.elapsed(), 3 * SECOND, "one place, and no more");
    }
}

mod of_a_rate_limit {
    use super::*;

    #[rate_limit(name = "watched", rate = "2/m", mode = "observe")]
    async fn watched() -> Answer {
        Ok(7)
    }

    #[rate_limit(name = "waits", rate = "1/s", max_wait = "3s")]
    async fn waits() -> Answer {
        Ok(7)
    }

    fn of(name: &str) -> RateLimitSnapshot {
        registry().rate_limit(name).unwrap().snapshot()
    }

    #[tokio::test(start_paused = true)]
    async fn calls_without_a_permit_start_and_take_none() {
        let events = test_util::record();
        for _ in 0..5 {
            assert_eq!(watched().await, Ok(7));
        }
        let snapshot = of("watched");
        assert_eq!((snapshot.observes, snapshot.admitted, snapshot.would_reject), (true, 5, 3));
        assert_eq!((snapshot.rejected, snapshot.available), (0, 0));
        let told = EventKind::WouldReject { retry_after: Some(MINUTE / 2) };
        assert_eq!(events.kinds("watched"), [told.clone(), told.clone(), told]);
        sleep(MINUTE / 2).await;
        assert_eq!(of("watched").available, 1, "what was not there was not taken");
        assert_eq!(registry().rate_limit("watched").unwrap().try_acquire_many(9), Ok(()));
        assert_eq!(of("watched").would_reject, 4);
    }

    /// How many of two hundred calls, four a second, were refused or would have been.
    async fn refused() -> u64 {
        for _ in 0..200 {
            tokio::spawn(waits());
            sleep(SECOND / 4).await;
        }
        sleep(MINUTE).await;
        let snapshot = of("waits");
        snapshot.rejected + snapshot.would_reject
    }

    #[tokio::test(start_paused = true)]
    async fn as_many_would_be_refused_as_are() {
        let enforced = refused().await;
        registry().reset("rate_limit", "waits");
        configure().rate_limit("waits", |r| r.mode(Mode::Observe)).install().unwrap();
        let start = Instant::now();
        waits().await.unwrap();
        waits().await.unwrap();
        assert_eq!(start.elapsed(), Duration::ZERO, "nobody waits");
        registry().reset("rate_limit", "waits");
        assert_eq!((refused().await, of("waits").rejected), (enforced, 0));
        assert!(enforced > 100, "{enforced}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_when_it_begins_to_observe_starts() {
        let start = Instant::now();
        let calls: Vec<_> = (0..4).map(|_| tokio::spawn(waits())).collect();
        settle().await;
        assert_eq!(of("waits").waiting, 3);
        configure().rate_limit("waits", |r| r.mode(Mode::Observe)).install().unwrap();
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!((start.elapsed(), of("waits").waiting), (Duration::ZERO, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn who_would_not_have_waited_borrows_no_permit() {
        configure().rate_limit("waits", |r| r.mode(Mode::Observe)).install().unwrap();
        let limit = registry().rate_limit("waits").unwrap();
        let events = test_util::record();
        limit.try_acquire().unwrap();
        limit.try_acquire().unwrap();
        let first = of("waits");
        assert_eq!((first.admitted, first.would_reject), (2, 1), "it takes what is there or is refused");
        limit.acquire_many(2).await.unwrap();
        assert_eq!(of("waits").would_reject, 2, "a burst has fewer");
        let hasty = tokio::time::timeout(SECOND / 2, bounded());
        assert_eq!(hasty.await.unwrap(), Ok(7));
        assert_eq!(of("waits").would_reject, 3, "its turn would come after its deadline");
        let told = |retry_after| EventKind::WouldReject { retry_after };
        assert_eq!(events.kinds("waits"), [told(Some(SECOND)), told(None), told(Some(SECOND))]);
        for _ in 0..3 {
            waits().await.unwrap();
        }
        assert_eq!(of("waits").would_reject, 3, "these would have waited, up to three seconds");
        waits().await.unwrap();
        assert_eq!((of("waits").would_reject, of("waits").available), (4, 0));
        sleep(3 * SECOND).await;
        limit.try_acquire().unwrap();
        assert_eq!(of("waits").would_reject, 5, "what comes has been lent");
        sleep(SECOND).await;
        limit.try_acquire().unwrap();
        assert_eq!(of("waits").would_reject, 5);
    }

    #[timeout("500ms")]
    async fn bounded() -> Answer {
        waits().await
    }

    fn take_all(name: &str) {
        let limit = registry().rate_limit(name).unwrap();
        while of(name).available > 0 {
            limit.try_acquire().unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn to_and_fro_gives_no_permit_away() {
        for mode in [Mode::Observe, Mode::Enforce].repeat(3) {
            let rate = |r: resilient_runtime::RateLimit| r.rate(Rate::per_minute(2)).max_wait(SECOND);
            configure().rate_limit("watched", |r| rate(r).mode(mode)).install().unwrap();
            take_all("watched");
        }
        assert_eq!(of("watched").admitted, 2);
        assert!(watched().await.is_err());
    }
}

mod of_a_load_shedder {
    use super::*;

    #[load_shed(name = "watched", max_limit = 2, min_limit = 2, initial_limit = 2, mode = "observe")]
    async fn watched() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    #[load_shed(name = "throttle", mode = "throttle", min_calls = 1, k = 1.0)]
    async fn throttled() -> Answer {
        DOWN
    }

    #[tokio::test(start_paused = true)]
    async fn calls_beyond_the_limit_run_and_are_counted_by_priority() {
        let events = test_util::record();
        let critical = || with_priority(Priority::Critical, watched());
        let calls: Vec<_> =
            (0..3).map(|_| tokio::spawn(critical())).chain((0..2).map(|_| tokio::spawn(watched()))).collect();
        settle().await;
        let snapshot = registry().load_shed("watched").unwrap().snapshot();
        assert_eq!((snapshot.observes, snapshot.mode, snapshot.running), (true, ShedMode::Concurrency, 5));
        assert_eq!((snapshot.would_reject.normal, snapshot.would_reject.critical), (2, 0));
        assert_eq!((snapshot.rejected.total(), snapshot.admitted.total()), (0, 5));
        assert!(!snapshot.overloaded, "it refuses none");
        for call in calls {
            assert_eq!(call.await.unwrap(), Ok(7));
        }
        assert_eq!(registry().load_shed("watched").unwrap().snapshot().running, 0);
        assert_eq!(events.words("watched"), ["overload_began", "would_reject", "would_reject"]);
    }

    /// Begins and ends of overloads, and whether they were observed.
    fn overloads(events: &test_util::Recorder, name: &str) -> Vec<(&'static str, bool)> {
        let told = |kind: EventKind| match kind {
            EventKind::OverloadBegan { observed, .. } | EventKind::OverloadEnded { observed, .. } => {
                Some((kind.as_str(), observed))
            }
            _ => None,
        };
        events.kinds(name).into_iter().filter_map(told).collect()
    }

    async fn five() {
        let calls: Vec<_> = (0..5).map(|_| tokio::spawn(watched())).collect();
        for call in calls {
            let _ = call.await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_overload_is_told_as_it_begins_and_ends() {
        let events = test_util::record();
        five().await;
        five().await;
        assert_eq!(overloads(&events, "watched"), [("overload_began", true)]);
        for _ in 0..30 {
            watched().await.unwrap();
        }
        assert_eq!(overloads(&events, "watched"), [("overload_began", true), ("overload_ended", true)]);
        let kinds = events.kinds("watched");
        assert!(kinds.contains(&EventKind::OverloadBegan { priority: Priority::Normal, observed: true }));
        let refused = registry().load_shed("watched").unwrap().snapshot().would_reject.total();
        assert!(kinds.contains(&EventKind::OverloadEnded { rejected: refused, observed: true }), "{kinds:?}");
        let told: Vec<_> = kinds.iter().map(ToString::to_string).collect();
        assert!(told.contains(&"overloaded, would refuse normal calls".to_owned()), "{told:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_overload_that_goes_on_while_the_mode_changes_is_told_as_two() {
        let events = test_util::record();
        five().await;
        configure().load_shed("watched", |s| s.mode(ShedMode::Enforce)).install().unwrap();
        five().await;
        let two = [("overload_began", true), ("overload_ended", true), ("overload_began", false)];
        assert_eq!(overloads(&events, "watched"), two);
        configure().load_shed("watched", |s| s.enabled(false)).install().unwrap();
        for _ in 0..10 {
            five().await;
        }
        assert_eq!(overloads(&events, "watched")[3..], [("overload_ended", false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttle_that_observes_stays_a_throttle() {
        test_util::seed(7);
        let events = test_util::record();
        let observe = || configure().load_shed("throttle", |s| s.mode(ShedMode::Observe));
        observe().install().unwrap();
        for _ in 0..100 {
            assert_eq!(throttled().await, DOWN);
        }
        let snapshot = registry().load_shed("throttle").unwrap().snapshot();
        assert_eq!((snapshot.observes, snapshot.mode), (true, ShedMode::Throttle));
        assert!(snapshot.would_reject.total() > 50, "{snapshot:?}");
        assert_eq!(snapshot.rejected.total(), 0);
        assert_eq!(overloads(&events, "throttle"), [("overload_began", true)]);
        observe().load_shed("throttle", |s| s.mode(ShedMode::Concurrency)).install().unwrap();
        let snapshot = registry().load_shed("throttle").unwrap().snapshot();
        assert_eq!((snapshot.observes, snapshot.mode), (true, ShedMode::Concurrency));
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_above_has_nothing_to_wait_for() {
    #[retry(max = 5, base = "1s")]
    #[rate_limit(name = "below", rate = "1/m", mode = "observe")]
    async fn guarded() -> Answer {
        Ok(7)
    }
    let start = Instant::now();
    for _ in 0..5 {
        assert_eq!(guarded().await, Ok(7));
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
}
