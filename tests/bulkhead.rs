//! `#[bulkhead]`: how many run at once, and who waits for a place.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use resilient_runtime::{
    Bulkhead, BulkheadSnapshot, Fault, Rejected, attempt, bulkhead, circuit_breaker, configure, fallback,
    inherit, registry, retry, test_util, timeout,
};
use tokio::sync::Mutex;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, sleep, sleep_until};

use self::common::{settle, spawned};

const SECOND: Duration = Duration::from_secs(1);

type Answer = Result<u32, Fault<&'static str>>;

fn full(name: &'static str) -> Answer {
    Err(Fault::Rejected(Rejected::BulkheadFull { name }))
}

fn of(name: &str) -> BulkheadSnapshot {
    registry().bulkhead(name).expect("a function declares it").snapshot()
}

#[bulkhead(name = "narrow", max_concurrent = 1)]
async fn narrow(time: Duration) -> Answer {
    sleep(time).await;
    Ok(7)
}

#[tokio::test(start_paused = true)]
async fn a_call_beyond_the_places_is_refused_at_once_and_does_not_run() {
    static RAN: AtomicU32 = AtomicU32::new(0);
    #[bulkhead(name = "two", max_concurrent = 2)]
    async fn two() -> Answer {
        RAN.fetch_add(1, SeqCst);
        sleep(SECOND).await;
        Ok(7)
    }
    let events = test_util::record();
    let start = Instant::now();
    let (first, second) = (spawned(two()).await, spawned(two()).await);
    assert_eq!(two().await, full("two"));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!((first.await.unwrap(), second.await.unwrap()), (Ok(7), Ok(7)));
    assert_eq!(RAN.load(SeqCst), 2);
    assert_eq!(events.words("two"), ["rejected"]);
    let seen = of("two");
    assert_eq!((seen.admitted, seen.rejected, seen.running, seen.waiting), (2, 1, 0, 0));
    assert_eq!(seen.max_concurrent, 2);
}

#[tokio::test(start_paused = true)]
async fn a_place_is_free_again_when_its_call_ends_fails_panics_or_is_dropped() {
    #[bulkhead(name = "again", max_concurrent = 1)]
    async fn again(how: u32) -> Answer {
        yield_now().await;
        match how {
            0 => Ok(7),
            1 => Err("down"),
            2 => panic!("on purpose"),
            _ => pending().await,
        }
        .map_err(Fault::Failed)
    }
    assert_eq!(again(0).await, Ok(7));
    assert_eq!(again(1).await, Err(Fault::Failed("down")));
    assert!(tokio::spawn(again(2)).await.unwrap_err().is_panic());
    let hanging = spawned(again(3)).await;
    assert_eq!(again(0).await, full("again"));
    hanging.abort();
    assert!(hanging.await.unwrap_err().is_cancelled());
    assert_eq!(again(0).await, Ok(7));
    assert_eq!((of("again").admitted, of("again").rejected, of("again").running), (5, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_never_polled_takes_no_place() {
    let unpolled = narrow(SECOND);
    assert_eq!(narrow(SECOND).await, Ok(7));
    drop(unpolled);
    assert_eq!(of("narrow").admitted, 1);
}

#[tokio::test(start_paused = true)]
async fn the_question_mark_and_return_belong_to_the_body() {
    #[bulkhead(name = "marks", max_concurrent = 1)]
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
        #[bulkhead(name = "client", max_concurrent = 1)]
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
async fn functions_that_name_one_bulkhead_share_its_places_and_others_do_not() {
    #[bulkhead(name = "shared", max_concurrent = 1)]
    async fn one() -> Answer {
        pending().await
    }
    #[bulkhead(name = "shared", max_concurrent = 1)]
    async fn other() -> Answer {
        Ok(7)
    }
    let _held = spawned(one()).await;
    assert_eq!(other().await, full("shared"));
    assert_eq!(narrow(SECOND).await, Ok(7));
}

mod waiting {
    use super::*;

    #[bulkhead(name = "queue", max_concurrent = 1, max_wait = "10s", max_queue = 3)]
    async fn queued(number: u32, order: Arc<Mutex<Vec<u32>>>) -> Answer {
        order.lock().await.push(number);
        sleep(SECOND).await;
        Ok(number)
    }

    #[tokio::test(start_paused = true)]
    async fn calls_are_served_in_the_order_they_came() {
        let (order, start) = (Arc::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..4 {
            calls.push(spawned(queued(number, Arc::clone(&order))).await);
        }
        assert_eq!((of("queue").running, of("queue").waiting), (1, 3));
        for (number, call) in (0..).zip(calls) {
            assert_eq!(call.await.unwrap(), Ok(number));
        }
        assert_eq!(*order.lock().await, [0, 1, 2, 3]);
        assert_eq!(start.elapsed(), 4 * SECOND);
        let seen = of("queue");
        assert_eq!((seen.admitted, seen.waited, seen.rejected, seen.abandoned), (4, 3, 0, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_beyond_the_queue_is_refused_at_once() {
        let (order, start) = (Arc::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..4 {
            calls.push(spawned(queued(number, Arc::clone(&order))).await);
        }
        assert_eq!(queued(4, Arc::clone(&order)).await, full("queue"));
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_has_waited_its_time_is_refused_on_time() {
        #[bulkhead(name = "impatient", max_concurrent = 1, max_wait = "2s")]
        async fn impatient(time: Duration) -> Answer {
            sleep(time).await;
            Ok(7)
        }
        let long = spawned(impatient(5 * SECOND)).await;
        let start = Instant::now();
        assert_eq!(impatient(SECOND).await, full("impatient"));
        assert_eq!(start.elapsed(), 2 * SECOND);
        assert_eq!(long.await.unwrap(), Ok(7));
        let seen = of("impatient");
        assert_eq!((seen.admitted, seen.rejected, seen.waiting), (1, 1, 0));
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_that_comes_free_in_time_is_taken() {
        #[bulkhead(name = "just", max_concurrent = 1, max_wait = "1s")]
        async fn just(until: Instant) -> Answer {
            sleep_until(until).await;
            Ok(7)
        }
        let until = Instant::now() + SECOND - Duration::from_millis(1);
        let first = spawned(just(until)).await;
        assert_eq!(just(until).await, Ok(7));
        assert_eq!(first.await.unwrap(), Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_leaves_the_queue_leaves_no_hole() {
        let (order, start) = (Arc::default(), Instant::now());
        let mut calls = Vec::new();
        for number in 0..4 {
            calls.push(spawned(queued(number, Arc::clone(&order))).await);
        }
        calls.remove(1).abort();
        settle().await;
        assert_eq!((of("queue").waiting, of("queue").abandoned), (2, 1));
        calls.push(spawned(queued(4, Arc::clone(&order))).await);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert_eq!(*order.lock().await, [0, 2, 3, 4]);
        assert_eq!(start.elapsed(), 4 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_place_given_to_a_call_that_is_dropped_then_goes_to_the_next() {
        let gate = Bulkhead::new("handed").max_concurrent(1).max_wait(10 * SECOND);
        let held = gate.try_acquire().unwrap();
        let mut first = polled(gate.acquire());
        let mut second = polled(gate.acquire());
        assert!(first.poll().is_none() && second.poll().is_none());
        drop(held);
        drop(first);
        assert!(second.poll().is_some());
        assert_eq!((gate.snapshot().running, gate.snapshot().abandoned), (1, 1));
        drop(second);
        assert_eq!(gate.snapshot().running, 0);
    }

    /// A future polled by hand.
    fn polled<F: Future>(future: F) -> Polled<F> {
        Polled(Box::pin(future), None)
    }

    struct Polled<F: Future>(std::pin::Pin<Box<F>>, Option<F::Output>);

    impl<F: Future> Polled<F> {
        fn poll(&mut self) -> Option<&F::Output> {
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            if let std::task::Poll::Ready(out) = self.0.as_mut().poll(&mut cx) {
                self.1 = Some(out);
            }
            self.1.as_ref()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_overtakes_who_waits() {
        let (order, start) = (Arc::default(), Instant::now());
        let first = spawned(queued(0, Arc::clone(&order))).await;
        let second = spawned(queued(1, Arc::clone(&order))).await;
        first.await.unwrap().unwrap();
        // The place has been given to the second, which has not run yet.
        assert_eq!(queued(2, Arc::clone(&order)).await, Ok(2));
        assert_eq!(second.await.unwrap(), Ok(1));
        assert_eq!(*order.lock().await, [0, 1, 2]);
        assert_eq!(start.elapsed(), 3 * SECOND);
    }

    static RUNNING: AtomicU32 = AtomicU32::new(0);

    struct Leaves;

    impl Drop for Leaves {
        fn drop(&mut self) {
            RUNNING.fetch_sub(1, SeqCst);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_calls_never_exceed_the_places_and_all_are_served() {
        static PEAK: AtomicU32 = AtomicU32::new(0);
        #[bulkhead(name = "crowd", max_concurrent = 7, max_wait = "1h")]
        async fn crowd(number: u64) -> Answer {
            PEAK.fetch_max(RUNNING.fetch_add(1, SeqCst) + 1, SeqCst);
            let _leaves = Leaves;
            sleep(Duration::from_millis(number % 13)).await;
            Ok(7)
        }
        let mut calls: JoinSet<_> = (0..1_000).map(crowd).collect();
        while let Some(answer) = calls.join_next().await {
            assert_eq!(answer.unwrap(), Ok(7));
        }
        assert_eq!(PEAK.load(SeqCst), 7);
        assert_eq!((of("crowd").admitted, of("crowd").running, of("crowd").waiting), (1_000, 0, 0));
    }
}

mod within_itself {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_would_wait_for_its_own_place_is_refused() {
        #[bulkhead(name = "nested", max_concurrent = 1, max_wait = "1h")]
        async fn inner() -> Answer {
            Ok(7)
        }
        #[bulkhead(name = "nested", max_concurrent = 1, max_wait = "1h")]
        async fn outer() -> Answer {
            yield_now().await;
            inner().await
        }
        let start = Instant::now();
        assert_eq!(outer().await, full("nested"));
        assert_eq!(start.elapsed(), Duration::ZERO);
        assert_eq!(inner().await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_finds_another_place_passes() {
        #[bulkhead(name = "roomy", max_concurrent = 2, max_wait = "1h")]
        async fn depth(left: u32) -> Answer {
            if left == 0 { Ok(7) } else { Box::pin(depth(left - 1)).await }
        }
        assert_eq!(depth(1).await, Ok(7));
        assert_eq!(depth(2).await, full("roomy"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_however_deep_within_others_is_refused() {
        #[bulkhead(name = "around them", max_concurrent = 1, max_wait = "1h")]
        async fn around(depth: u32) -> Answer {
            Box::pin(between(depth)).await
        }
        #[bulkhead(name = "between", max_concurrent = 9, max_wait = "1h")]
        async fn between(depth: u32) -> Answer {
            if depth == 0 { Box::pin(around(0)).await } else { Box::pin(between(depth - 1)).await }
        }
        let start = Instant::now();
        for depth in 0..8 {
            assert_eq!(around(depth).await, full("around them"));
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn spawned_work_that_inherits_the_call_is_refused_too() {
        #[bulkhead(name = "spawning", max_concurrent = 1, max_wait = "1h")]
        async fn leaf() -> Answer {
            Ok(7)
        }
        #[bulkhead(name = "spawning", max_concurrent = 1, max_wait = "1h")]
        async fn spawning() -> Answer {
            tokio::spawn(inherit(leaf())).await.unwrap()
        }
        assert_eq!(spawning().await, full("spawning"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_neighbour_of_the_same_task_waits_as_usual() {
        #[bulkhead(name = "joined", max_concurrent = 1, max_wait = "1h")]
        async fn joined() -> Answer {
            sleep(SECOND).await;
            Ok(7)
        }
        assert_eq!(tokio::join!(joined(), joined()), (Ok(7), Ok(7)));
    }
}

mod with_others {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_would_cross_the_deadline_is_the_queues_refusal() {
        #[timeout("2s", name = "around")]
        #[bulkhead(name = "inside", max_concurrent = 1, max_wait = "1h")]
        async fn bounded(time: Duration) -> Answer {
            sleep(time).await;
            Ok(7)
        }
        let hold = registry().bulkhead("inside").unwrap().try_acquire().unwrap();
        let start = Instant::now();
        assert_eq!(bounded(SECOND).await, full("inside"));
        assert_eq!(start.elapsed(), 2 * SECOND);
        drop(hold);
        assert_eq!(bounded(SECOND).await, Ok(7));
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_outside_and_comes_again() {
        #[retry(max = 3, base = "1s", jitter = "none")]
        #[bulkhead(name = "retried", max_concurrent = 1)]
        async fn retried() -> Result<u32, Fault<&'static str>> {
            Ok(attempt())
        }
        let hold = registry().bulkhead("retried").unwrap().try_acquire().unwrap();
        let call = spawned(retried()).await;
        drop(hold);
        assert_eq!(call.await.unwrap(), Ok(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_breaker_above_does_not_count_the_refusal() {
        #[circuit_breaker(name = "calm", failure_threshold = 1)]
        #[bulkhead(name = "under", max_concurrent = 1)]
        async fn under() -> Answer {
            Ok(7)
        }
        let hold = registry().bulkhead("under").unwrap().try_acquire().unwrap();
        assert_eq!(under().await, full("under"));
        drop(hold);
        assert_eq!(under().await, Ok(7));
        assert_eq!(registry().circuit_breaker("calm").unwrap().snapshot().failed, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_fallback_answers_the_refusal() {
        #[fallback(value = 0)]
        #[bulkhead(name = "backed", max_concurrent = 1)]
        async fn backed() -> Result<u32, &'static str> {
            Ok(7)
        }
        let _hold = registry().bulkhead("backed").unwrap().try_acquire().unwrap();
        assert_eq!(backed().await, Ok(0));
    }
}

mod configured {
    use super::*;

    #[bulkhead(name = "tuned", max_concurrent = 1, max_wait = "1h")]
    async fn tuned() -> Answer {
        sleep(SECOND).await;
        Ok(7)
    }

    #[tokio::test(start_paused = true)]
    async fn more_places_serve_at_once_who_waits() {
        let mut calls: JoinSet<_> = (0..4).map(|_| tuned()).collect();
        settle().await;
        assert_eq!((of("tuned").running, of("tuned").waiting), (1, 3));
        configure().bulkhead("tuned", |tuned| tuned.max_concurrent(3)).install().unwrap();
        assert_eq!((of("tuned").running, of("tuned").waiting), (3, 1));
        let start = Instant::now();
        while calls.join_next().await.is_some() {}
        assert_eq!(start.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn fewer_places_count_once_enough_calls_have_left() {
        configure().bulkhead("tuned", |tuned| tuned.max_concurrent(3)).install().unwrap();
        let mut calls: JoinSet<_> = (0..3).map(|_| tuned()).collect();
        settle().await;
        configure().bulkhead("tuned", |tuned| tuned.max_concurrent(1)).install().unwrap();
        calls.spawn(tuned());
        calls.spawn(tuned());
        settle().await;
        assert_eq!((of("tuned").running, of("tuned").waiting), (3, 2));
        let start = Instant::now();
        while calls.join_next().await.is_some() {}
        assert_eq!(start.elapsed(), 3 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn what_makes_no_sense_is_refused() {
        let faults = configure()
            .bulkhead("narrow", |narrow| narrow.max_queue(5))
            .bulkhead("tuned", |tuned| tuned.max_concurrent(0))
            .bulkhead("tunde", |tuned| tuned.max_concurrent(2))
            .install()
            .unwrap_err();
        let mut said: Vec<_> =
            faults.faults().iter().map(|it| format!("{}: {}", it.path(), it.message)).collect();
        said.sort();
        assert_eq!(
            said,
            [
                "bulkhead.narrow.max_queue: has no effect without `max_wait`",
                "bulkhead.tunde: no function has a bulkhead of this name; did you mean `tuned`?",
                "bulkhead.tuned.max_concurrent: 0 is less than 1",
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn reset_forgets_the_counts_and_keeps_the_calls() {
        let call = spawned(tuned()).await;
        assert!(registry().reset("bulkhead", "tuned"));
        assert_eq!((of("tuned").admitted, of("tuned").running), (0, 1));
        assert_eq!(call.await.unwrap(), Ok(7));
        assert_eq!(of("tuned").running, 0);
    }
}
