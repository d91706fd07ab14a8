//! `#[timeout]`: giving up after a time.

#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::{Future, pending, poll_fn};
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilient_runtime::{
    Fault, Rejected, Snapshot, Timeout, attempt, configure, deadline, inherit, registry, test_util, timeout,
};
use tokio::task::{JoinHandle, coop, yield_now};
use tokio::time::{Instant, advance, sleep};

const SECOND: Duration = Duration::from_secs(1);

#[timeout("2s", name = "slow")]
async fn takes(time: Duration) -> Result<u32, Fault<&'static str>> {
    sleep(time).await;
    Ok(7)
}

fn counts(name: &str) -> (u64, u64, u64, u64, u64) {
    let Some(Snapshot::Timeout(t)) = registry().snapshot("timeout", name) else {
        panic!("no timeout {name}")
    };
    (t.succeeded, t.failed, t.timed_out, t.abandoned, t.panicked)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_ends_in_time_is_untouched() {
    assert_eq!(takes(SECOND).await, Ok(7));
    assert_eq!(counts("slow"), (1, 0, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_given_up_on_time() {
    let start = Instant::now();
    let events = test_util::record();
    let error = takes(5 * SECOND).await.unwrap_err();
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name: "slow", limit: 2 * SECOND }));
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(events.words("slow"), ["timed_out"]);
    assert_eq!(counts("slow"), (0, 0, 1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_answer_at_the_last_moment_wins() {
    assert_eq!(takes(2 * SECOND).await, Ok(7));
}

#[tokio::test(start_paused = true)]
async fn the_question_mark_and_return_belong_to_the_body() {
    #[timeout("1s", name = "marks")]
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
    assert_eq!(counts("marks"), (2, 1, 0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_io_error_says_timed_out() {
    #[timeout("1s")]
    async fn never() -> io::Result<()> {
        pending().await
    }
    assert_eq!(never().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_counted_as_abandoned() {
    let call = takes(SECOND);
    drop(call);
    assert_eq!(counts("slow"), (0, 0, 0, 0, 0), "never polled, never started");
    let _ = tokio::time::timeout(Duration::from_millis(1), takes(SECOND)).await;
    assert_eq!(counts("slow"), (0, 0, 0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_counted_and_goes_on() {
    #[timeout("1s", name = "panics")]
    async fn panics() -> Result<(), Fault<()>> {
        panic!("boom")
    }
    let error = tokio::spawn(panics()).await.unwrap_err();
    assert!(error.is_panic());
    assert_eq!(counts("panics"), (0, 0, 0, 0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_installed_at_start_up_holds() {
    configure().timeout("slow", |t| t.limit(Duration::from_millis(300))).install().unwrap();
    let start = Instant::now();
    let error = takes(SECOND).await.unwrap_err();
    assert_eq!(start.elapsed(), Duration::from_millis(300));
    assert_eq!(
        error,
        Fault::Rejected(Rejected::TimedOut { name: "slow", limit: Duration::from_millis(300) })
    );
    configure().install().unwrap();
    assert_eq!(takes(SECOND).await, Ok(7), "a second install replaces the first");
}

#[tokio::test(start_paused = true)]
async fn the_deadline_counts_from_the_first_question() {
    #[timeout("2s")]
    async fn asks() -> Result<(Instant, Instant), Fault<()>> {
        let first = deadline().expect("there is a timeout around");
        sleep(SECOND).await;
        let second = deadline().expect("there still is");
        Ok((first, second))
    }
    let start = Instant::now();
    assert_eq!(asks().await, Ok((start + 2 * SECOND, start + 2 * SECOND)));
    assert_eq!(deadline(), None);
}

#[timeout("2s", name = "inner")]
async fn inner(time: Duration) -> Result<Option<Instant>, Fault<()>> {
    sleep(time).await;
    Ok(deadline())
}

#[tokio::test(start_paused = true)]
async fn the_nearest_deadline_of_nested_functions_is_seen() {
    #[timeout("1s", name = "tight")]
    async fn tight() -> Result<Option<Instant>, Fault<()>> {
        inner(Duration::ZERO).await
    }
    #[timeout("5s", name = "wide")]
    async fn wide() -> Result<Option<Instant>, Fault<()>> {
        inner(Duration::ZERO).await
    }
    let start = Instant::now();
    assert_eq!(tight().await, Ok(Some(start + SECOND)));
    let start = Instant::now();
    assert_eq!(wide().await, Ok(Some(start + 2 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn the_outer_timeout_is_to_blame_when_it_comes_first() {
    #[timeout("1s", name = "total")]
    async fn total() -> Result<Option<Instant>, Fault<()>> {
        inner(10 * SECOND).await
    }
    let error = total().await.unwrap_err();
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name: "total", limit: SECOND }));
    assert_eq!(counts("inner"), (0, 0, 0, 1, 0));
}

#[tokio::test(start_paused = true)]
async fn the_outer_timeout_is_to_blame_when_both_come_at_once() {
    #[timeout("2s", name = "as long")]
    async fn as_long() -> Result<Option<Instant>, Fault<()>> {
        inner(10 * SECOND).await
    }
    let start = Instant::now();
    let error = as_long().await.unwrap_err();
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name: "as long", limit: 2 * SECOND }));
    assert_eq!((counts("inner"), start.elapsed()), ((0, 0, 0, 1, 0), 2 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn spawned_work_that_inherits_is_cut_to_the_deadline() {
    #[timeout("1s", name = "spawns")]
    async fn spawns() -> Result<JoinHandle<(u32, Duration)>, Fault<()>> {
        Ok(tokio::spawn(inherit(async {
            let start = Instant::now();
            inner(10 * SECOND).await.unwrap_err();
            (attempt(), start.elapsed())
        })))
    }
    let work = spawns().await.unwrap();
    assert_eq!(work.await.unwrap(), (1, SECOND), "nobody drops it, so it ends itself");
}

#[tokio::test(start_paused = true)]
async fn by_hand_it_takes_any_error_that_can_say_so() {
    let never = std::future::pending::<Result<(), String>>();
    let error = Timeout::new(SECOND).name("by hand").call(never).await.unwrap_err();
    assert_eq!(error, "`by hand` timed out after 1s");
}

#[tokio::test(start_paused = true)]
async fn a_limit_may_be_nothing_or_too_far_away_to_tell() {
    let ready = Timeout::new(Duration::ZERO).call(async { Ok::<_, Fault<()>>(1) }).await;
    assert_eq!(ready, Ok(1));
    let late = Timeout::new(Duration::ZERO).call(pending::<Result<(), Fault<()>>>()).await;
    assert!(late.is_err());
    let long = async {
        sleep(1_000 * SECOND).await;
        assert_eq!(deadline(), None, "too far away to tell");
        Ok::<_, Fault<()>>(1)
    };
    assert_eq!(Timeout::new(Duration::MAX).call(long).await, Ok(1));
}

#[tokio::test(start_paused = true)]
async fn a_limit_set_on_a_named_timeout_holds_for_that_value_only() {
    let named = registry().timeout("slow").unwrap();
    let late = || async {
        sleep(SECOND).await;
        Ok::<_, Fault<()>>(1)
    };
    assert!(named.limit(SECOND / 2).call(late()).await.is_err());
    assert_eq!(named.call(late()).await, Ok(1));
    assert_eq!(counts("slow"), (1, 0, 1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlives_a_shorter_timeout_around_it_still_ends() {
    let start = Instant::now();
    let mut call = pin!(takes(60 * SECOND));
    let limit = SECOND;
    let error = Timeout::new(limit).call(call.as_mut()).await.unwrap_err();
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name: "timeout", limit }));
    let error = call.await.unwrap_err();
    assert_eq!(error, Fault::Rejected(Rejected::TimedOut { name: "slow", limit: 2 * SECOND }));
    assert_eq!(start.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_always_uses_up_what_its_task_may_do_ends_in_time() {
    let mut polls = 0;
    let busy = poll_fn(move |cx| {
        polls += 1;
        while let Poll::Ready(proceeds) = coop::poll_proceed(cx) {
            proceeds.made_progress();
        }
        if polls < 1_000 { Poll::Pending } else { Poll::Ready(Ok::<_, io::Error>(())) }
    });
    let call = tokio::spawn(Timeout::new(SECOND).call(busy));
    yield_now().await;
    advance(2 * SECOND).await;
    assert_eq!(call.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn calls_that_time_out_at_once_let_other_tasks_run() {
    let other = tokio::spawn(async {});
    for _ in 0..1_000 {
        Timeout::new(Duration::ZERO).call(pending::<io::Result<()>>()).await.unwrap_err();
    }
    assert!(other.is_finished());
}

#[test]
fn a_wait_without_a_runtime_is_counted_as_a_panic() {
    #[timeout("1s", name = "adrift")]
    async fn never() -> io::Result<()> {
        pending().await
    }
    let call = || drop(pin!(never()).poll(&mut Context::from_waker(Waker::noop())));
    std::panic::catch_unwind(call).unwrap_err();
    assert_eq!(counts("adrift"), (0, 0, 0, 0, 1));
}
