use std::hint::black_box;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable};
use failsafe::futures::CircuitBreaker as _;
use failsafe::{backoff, failure_policy};
use recloser::{AsyncRecloser, Recloser};
use resilient_runtime::{Fault, circuit_breaker, fallback, retry, timeout};
use tower::{Service, service_fn};

use crate::harness::{Case, Pair, Single, at_once};

type Answer = Result<u64, Fault<&'static str>>;

/// Longer than any run, so that what is open stays open.
const LONG: Duration = Duration::from_secs(600);
const LIMIT: Duration = Duration::from_secs(2);

async fn work(n: u64) -> Answer {
    Ok(black_box(n))
}

async fn half(n: u64) -> Answer {
    if n.is_multiple_of(2) { Ok(black_box(n)) } else { Err(Fault::Failed("down")) }
}

async fn down(n: u64) -> Answer {
    black_box(n);
    Err(Fault::Failed("down"))
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

#[circuit_breaker(name = "flaky")]
async fn flaky(n: u64) -> Answer {
    half(n).await
}

#[circuit_breaker(name = "flaky count", failure_rate = 0.9, window = 100, min_calls = 10)]
async fn flaky_counted(n: u64) -> Answer {
    half(n).await
}

#[circuit_breaker(name = "open", failure_threshold = 1, reset_timeout = "600s")]
async fn refused(n: u64) -> Answer {
    down(n).await
}

#[retry]
async fn retried(n: u64) -> Answer {
    work(n).await
}

#[timeout("2s")]
async fn bounded(n: u64) -> Answer {
    work(n).await
}

#[fallback(value = 0)]
#[retry]
#[circuit_breaker(name = "stacked")]
#[timeout("2s")]
async fn stacked(n: u64) -> Answer {
    work(n).await
}

fn recloser(rate: f32) -> AsyncRecloser {
    AsyncRecloser::from(Recloser::custom().error_rate(rate).closed_len(100).open_wait(LONG).build())
}

fn failsafe() -> impl failsafe::futures::CircuitBreaker {
    let policy = failure_policy::consecutive_failures(5, backoff::constant(LONG));
    failsafe::Config::new().failure_policy(policy).build()
}

async fn by_hand(breaker: &AsyncRecloser, n: u64) -> Answer {
    for _ in 0..3 {
        let bounded = async { tokio::time::timeout(LIMIT, work(n)).await.map_err(drop)?.map_err(drop) };
        if let Ok(answer) = breaker.call(bounded).await {
            return Ok(answer);
        }
    }
    Ok(0)
}

#[derive(Clone)]
struct Thrice(u8);

impl tower::retry::Policy<u64, u64, Fault<&'static str>> for Thrice {
    type Future = std::future::Ready<()>;

    fn retry(&mut self, _: &mut u64, result: &mut Answer) -> Option<Self::Future> {
        self.0 = self.0.checked_sub(u8::from(result.is_err()))?;
        result.is_err().then(|| std::future::ready(()))
    }

    fn clone_request(&mut self, n: &u64) -> Option<u64> {
        Some(*n)
    }
}

/// A batch of calls, each in one poll.
macro_rules! batch {
    ($n:ident => $call:expr) => {
        Box::new(move |calls| (0..calls).for_each(|$n| drop(black_box(at_once($call)))))
    };
}

const SUCCESS: &str = "breaker closed, success";
const HALF: &str = "breaker closed, half of the calls failing";
const OPEN: &str = "breaker open";
const RETRY: &str = "retry, first attempt";
const READY: &str = "timeout, ready";
const STACK: &str = "the full stack, success";

pub fn single() -> Vec<Single> {
    let (re, fs, no, stack) =
        (recloser(0.5), failsafe(), nobreak::builder().with_open_duration(LONG).build(), recloser(0.5));
    let (re_half, fs_half, no_half) =
        (recloser(0.9), failsafe(), nobreak::builder().with_open_duration(LONG).build());
    let (re_open, fs_open, no_open) =
        (recloser(0.5), failsafe(), nobreak::builder().with_open_duration(LONG).build());
    let mut tower = tower::retry::Retry::new(Thrice(3), service_fn(work));
    vec![
        Case { row: "direct call", name: "direct", run: batch!(n => work(n)) },
        Case { row: SUCCESS, name: "ours, consecutive", run: batch!(n => guarded(n)) },
        Case { row: SUCCESS, name: "ours, count window", run: batch!(n => counted(n)) },
        Case { row: SUCCESS, name: "nobreak", run: batch!(n => no.call_async(|| work(n))) },
        Case { row: SUCCESS, name: "recloser", run: batch!(n => re.call(work(n))) },
        Case { row: SUCCESS, name: "failsafe", run: batch!(n => fs.call(work(n))) },
        Case { row: SUCCESS, name: "ours, time window", run: batch!(n => timed(n)) },
        Case { row: HALF, name: "ours, consecutive", run: batch!(n => flaky(n)) },
        Case { row: HALF, name: "ours, count window", run: batch!(n => flaky_counted(n)) },
        Case { row: HALF, name: "nobreak", run: batch!(n => no_half.call_async(|| half(n))) },
        Case { row: HALF, name: "recloser", run: batch!(n => re_half.call(half(n))) },
        Case { row: HALF, name: "failsafe", run: batch!(n => fs_half.call(half(n))) },
        Case { row: OPEN, name: "ours", run: batch!(n => refused(n)) },
        Case { row: OPEN, name: "nobreak", run: batch!(n => no_open.call_async(|| down(n))) },
        Case { row: OPEN, name: "recloser", run: batch!(n => re_open.call(down(n))) },
        Case { row: OPEN, name: "failsafe", run: batch!(n => fs_open.call(down(n))) },
        Case { row: RETRY, name: "ours", run: batch!(n => retried(n)) },
        Case { row: RETRY, name: "tower", run: batch!(n => tower.call(n)) },
        Case {
            row: RETRY,
            name: "backon",
            run: batch!(n => async move { (|| work(n)).retry(ExponentialBuilder::default()).await }),
        },
        Case { row: READY, name: "ours", run: batch!(n => bounded(n)) },
        Case { row: READY, name: "tokio", run: batch!(n => tokio::time::timeout(LIMIT, work(n))) },
        Case { row: STACK, name: "ours", run: batch!(n => stacked(n)) },
        Case { row: STACK, name: "by hand: tokio, recloser", run: batch!(n => by_hand(&stack, n)) },
    ]
}

pub fn pairs() -> Vec<Pair> {
    let (re, no) = (recloser(0.5), nobreak::builder().with_open_duration(LONG).build());
    vec![
        Case { row: SUCCESS, name: "ours, consecutive", run: batch!(n => guarded(n)) },
        Case { row: SUCCESS, name: "ours, count window", run: batch!(n => counted(n)) },
        Case { row: SUCCESS, name: "nobreak", run: batch!(n => no.call_async(|| work(n))) },
        Case { row: SUCCESS, name: "recloser", run: batch!(n => re.call(work(n))) },
    ]
}

pub fn sizes() {
    let plain = size_of_val(&work(1));
    println!("\n| future | bytes over the inner one |\n|---|---:|");
    for (name, size) in [
        ("breaker", size_of_val(&guarded(1))),
        ("retry", size_of_val(&retried(1))),
        ("timeout", size_of_val(&bounded(1))),
        ("the full stack", size_of_val(&stacked(1))),
    ] {
        println!("| {name} | {} |", size - plain);
    }
}
