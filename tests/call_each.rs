//! `call_each`: a stream of work through a guarded function, pulled no faster than it is let in.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::Duration;

use futures::{FutureExt as _, StreamExt as _, stream};
use resilient_runtime::{CallEach as _, Fault, Rejected, bulkhead, rate_limit, registry, timeout};
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

type Answer = Result<u32, Fault<&'static str>>;

/// Numbers, and how many of them were pulled.
fn numbers(pulled: &AtomicU32) -> impl futures::Stream<Item = u32> + Unpin {
    stream::iter(0..).inspect(|_| {
        pulled.fetch_add(1, SeqCst);
    })
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_permits_instead_of_being_refused() {
    #[rate_limit(name = "slow", rate = "10/s", burst = 1)]
    async fn slow(n: u32) -> Answer {
        Ok(n)
    }
    let (pulled, start) = (AtomicU32::new(0), Instant::now());
    let mut answers = numbers(&pulled).call_each(100, slow);
    for n in 0..20 {
        assert_eq!(answers.next().await, Some(Ok(n)));
        assert_eq!(start.elapsed(), 100 * MS * n);
        assert!(pulled.load(SeqCst) <= n + 1, "one at the gate");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_wait_for_places_and_hold_no_more_items_than_that() {
    static RUNNING: AtomicU32 = AtomicU32::new(0);
    #[bulkhead(name = "narrow", max_concurrent = 3)]
    async fn narrow(n: u32) -> Answer {
        assert!(RUNNING.fetch_add(1, SeqCst) < 3);
        sleep(10 * MS).await;
        RUNNING.fetch_sub(1, SeqCst);
        Ok(n)
    }
    let pulled = AtomicU32::new(0);
    let mut answers = numbers(&pulled).call_each(100, narrow);
    for taken in 0..30 {
        let answer = answers.next().await.unwrap();
        assert!(answer.is_ok());
        assert!(pulled.load(SeqCst) <= taken + 4, "three run, one waits");
    }
    drop(answers);
    let seen = registry().bulkhead("narrow").unwrap().snapshot();
    assert_eq!((seen.running, seen.waiting, seen.rejected), (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn every_item_that_is_pulled_gives_one_answer() {
    #[rate_limit(name = "both", rate = "1000/s", burst = 5)]
    #[bulkhead(name = "both", max_concurrent = 4)]
    async fn both(n: u32) -> Answer {
        sleep(MS * (n % 7)).await;
        if n.is_multiple_of(5) { Err(Fault::Failed("down")) } else { Ok(n) }
    }
    let mut answers: Vec<_> = stream::iter(0..500).call_each(8, both).collect().await;
    assert_eq!(answers.len(), 500);
    answers.retain(Result::is_ok);
    let mut served: Vec<_> = answers.into_iter().map(Result::unwrap).collect();
    served.sort_unstable();
    assert_eq!(served, (0..500).filter(|n| n % 5 != 0).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_pulled_while_a_call_waits_for_a_later_place() {
    #[bulkhead(name = "later", max_concurrent = 1)]
    async fn later(n: u32) -> Answer {
        sleep(10 * MS).await;
        Ok(n)
    }
    async fn work(n: u32) -> Answer {
        sleep(MS).await;
        later(n).await
    }
    let pulled = AtomicU32::new(0);
    let mut answers = Box::pin(numbers(&pulled).take(100).call_each(10, work));
    for _ in 0..8 {
        assert!(answers.next().await.unwrap().is_ok());
        assert_eq!(pulled.load(SeqCst), 10, "others wait");
    }
    let rest: Vec<_> = answers.collect().await;
    assert!(rest.len() == 92 && rest.iter().all(Result::is_ok));
}

#[tokio::test(start_paused = true)]
async fn no_more_than_so_many_run_without_any_policy() {
    async fn plain(n: u32) -> u32 {
        sleep(10 * MS).await;
        n
    }
    let (pulled, start) = (AtomicU32::new(0), Instant::now());
    let answers: Vec<_> = numbers(&pulled).take(10).call_each(2, plain).collect().await;
    assert_eq!((answers.len(), start.elapsed()), (10, 50 * MS));
    let one: Vec<_> = stream::iter([1]).call_each(0, plain).collect().await;
    assert_eq!(one, [1]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_pulled_while_nobody_takes_answers() {
    #[rate_limit(name = "plenty", rate = "1000/s")]
    async fn plenty(n: u32) -> Answer {
        Ok(n)
    }
    let pulled = AtomicU32::new(0);
    let mut answers = numbers(&pulled).call_each(10, plenty);
    assert_eq!(pulled.load(SeqCst), 0);
    assert_eq!(answers.next().await, Some(Ok(0)));
    sleep(1_000 * MS).await;
    assert_eq!(pulled.load(SeqCst), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_not_pulled_stays_in_the_source() {
    #[rate_limit(name = "some", rate = "10/s", burst = 1)]
    async fn some(n: u32) -> Answer {
        Ok(n)
    }
    let mut source = stream::iter(0..10);
    {
        let mut answers = source.by_ref().call_each(10, some);
        assert_eq!(answers.next().await, Some(Ok(0)));
        // The second waits, and is dropped with the stream.
        assert_eq!(answers.next().now_or_never(), None);
    }
    assert_eq!(source.next().await, Some(2));
    let seen = registry().rate_limit("some").unwrap().snapshot();
    assert_eq!((seen.admitted, seen.abandoned, seen.waiting), (1, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_waits_no_longer_than_to_its_deadline() {
    #[timeout("150ms")]
    #[rate_limit(name = "bounded", rate = "5/s", burst = 1)]
    async fn bounded(n: u32) -> Answer {
        Ok(n)
    }
    let answers: Vec<_> = stream::iter(0..2).call_each(10, bounded).collect().await;
    let late = Rejected::RateLimited { name: "bounded", retry_after: Some(200 * MS) };
    assert_eq!(answers, [Ok(0), Err(Fault::Rejected(late))]);
}

#[tokio::test(start_paused = true)]
async fn others_are_refused_as_before() {
    #[bulkhead(name = "held", max_concurrent = 1)]
    async fn held(n: u32) -> Answer {
        sleep(50 * MS).await;
        Ok(n)
    }
    let hold = registry().bulkhead("held").unwrap().try_acquire().unwrap();
    let mut answers = stream::iter(0..2).call_each(2, held);
    assert_eq!(answers.next().now_or_never(), None);
    assert_eq!(held(7).await, Err(Fault::Rejected(Rejected::BulkheadFull { name: "held" })));
    drop(hold);
    assert_eq!(
        (answers.next().await, answers.next().await, answers.next().await),
        (Some(Ok(0)), Some(Ok(1)), None)
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_that_would_wait_for_its_own_place_is_refused() {
    #[bulkhead(name = "inner", max_concurrent = 1)]
    async fn inner(n: u32) -> Answer {
        Ok(n)
    }
    #[bulkhead(name = "inner", max_concurrent = 1)]
    async fn within_itself(n: u32) -> Answer {
        inner(n).await
    }
    let start = Instant::now();
    let answers: Vec<_> = stream::iter(0..2).call_each(2, within_itself).collect().await;
    let full = Err(Fault::Rejected(Rejected::BulkheadFull { name: "inner" }));
    assert_eq!(answers, [full.clone(), full]);
    assert!(start.elapsed() < 300 * MS, "{:?}", start.elapsed());
}
