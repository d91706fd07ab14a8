//! Every policy and every stack, dropped or panicking at every await: nothing is held after.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use resilient_runtime::{
    CircuitState, Fault, Snapshot, circuit_breaker, configure, fallback, registry, retry, timeout,
};
use tokio::task::yield_now;

const SECOND: Duration = Duration::from_secs(1);

/// Times a body gives up its turn before it ends.
const AWAITS: u32 = 3;

type Answer = Result<u32, Fault<&'static str>>;

async fn work(panics_at: Option<u32>, answer: Answer) -> Answer {
    for n in 0..AWAITS {
        assert!(panics_at != Some(n), "at await {n}");
        yield_now().await;
    }
    answer
}

#[retry(max = 2, base = "0s", budget = "none", name = "retry")]
async fn retried(panics_at: Option<u32>, answer: Answer) -> Answer {
    work(panics_at, answer).await
}

#[circuit_breaker(name = "breaker", failure_threshold = 1_000_000)]
async fn guarded(panics_at: Option<u32>, answer: Answer) -> Answer {
    work(panics_at, answer).await
}

#[timeout("1h", name = "timeout")]
async fn bounded(panics_at: Option<u32>, answer: Answer) -> Answer {
    work(panics_at, answer).await
}

#[fallback(value = 0, name = "fallback")]
async fn covered(panics_at: Option<u32>, answer: Answer) -> Answer {
    work(panics_at, answer).await
}

#[fallback(value = 0)]
#[retry(max = 2, base = "0s", budget = "none", name = "stacked retry")]
#[circuit_breaker(name = "stacked breaker", failure_threshold = 1_000_000)]
#[timeout("1h", name = "stacked timeout")]
async fn stacked(panics_at: Option<u32>, answer: Answer) -> Answer {
    work(panics_at, answer).await
}

/// Polls `call` at most `polls` times, then drops it.
fn poll_and_drop(polls: u32, call: impl Future<Output = Answer>) -> Poll<Answer> {
    let mut call = pin!(call);
    let mut cx = Context::from_waker(Waker::noop());
    for _ in 0..polls {
        if let Poll::Ready(answer) = call.as_mut().poll(&mut cx) {
            return Poll::Ready(answer);
        }
    }
    Poll::Pending
}

/// Runs each way to end early against `call`, then makes sure that it still works.
fn sweep<F: Future<Output = Answer>>(call: impl Fn(Option<u32>, Answer) -> F) {
    for answer in [Ok(1), Err(Fault::Failed("down"))] {
        // A retried failure takes the awaits of two attempts.
        for polls in 0..=2 * (AWAITS + 1) {
            let _ = poll_and_drop(polls, call(None, answer.clone()));
        }
    }
    for n in 0..AWAITS {
        let call = AssertUnwindSafe(|| poll_and_drop(u32::MAX, call(Some(n), Ok(1))));
        catch_unwind(call).expect_err("the body panics");
    }
    assert_eq!(poll_and_drop(u32::MAX, call(None, Ok(1))), Poll::Ready(Ok(1)));
}

fn everything_is_at_rest() {
    for snapshot in registry().snapshots() {
        if let Snapshot::CircuitBreaker(breaker) = snapshot {
            assert_eq!(breaker.state, CircuitState::Closed, "{breaker:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_function_survives_being_dropped_and_panicking_at_every_await() {
    sweep(retried);
    sweep(guarded);
    sweep(bounded);
    sweep(covered);
    sweep(stacked);
    everything_is_at_rest();
}

#[tokio::test(start_paused = true)]
async fn no_probe_is_lost_however_a_call_ends() {
    configure()
        .circuit_breaker("stacked breaker", |b| {
            b.failure_threshold(1).reset_timeout(SECOND).success_threshold(1)
        })
        .retry("stacked retry", |r| r.max(1))
        .install()
        .unwrap();
    let breaker = registry().circuit_breaker("stacked breaker").expect("a function uses it");
    for polls in 1..=AWAITS {
        breaker.force_open();
        breaker.resume();
        breaker.reset();
        assert_eq!(poll_and_drop(u32::MAX, stacked(None, Err(Fault::Failed("down")))), Poll::Ready(Ok(0)));
        assert_eq!(breaker.state(), CircuitState::Open);
        tokio::time::advance(SECOND).await;
        for _ in 0..10 {
            assert_eq!(
                poll_and_drop(polls, stacked(None, Ok(1))),
                Poll::Pending,
                "the probe runs and is dropped"
            );
        }
        assert_eq!(
            poll_and_drop(u32::MAX, stacked(None, Ok(1))),
            Poll::Ready(Ok(1)),
            "its place is free again"
        );
        assert_eq!(breaker.state(), CircuitState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_panicking_probe_opens_again_and_the_next_one_may_close() {
    configure()
        .circuit_breaker("breaker", |b| b.failure_threshold(1).reset_timeout(SECOND).success_threshold(1))
        .install()
        .unwrap();
    let breaker = registry().circuit_breaker("breaker").expect("a function uses it");
    let _ = guarded(None, Err(Fault::Failed("down"))).await;
    for n in 0..AWAITS {
        tokio::time::advance(SECOND).await;
        let call = AssertUnwindSafe(|| poll_and_drop(u32::MAX, guarded(Some(n), Ok(1))));
        catch_unwind(call).expect_err("the body panics");
        assert_eq!(breaker.state(), CircuitState::Open);
    }
    tokio::time::advance(SECOND).await;
    assert_eq!(guarded(None, Ok(1)).await, Ok(1));
    assert_eq!(breaker.state(), CircuitState::Closed);
}
