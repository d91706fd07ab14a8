//! Instructions of a call through the attributes, on callgrind: they do not depend on the machine's load.

use std::future::poll_fn;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use gungraun::prelude::*;
use gungraun::{Callgrind, EventKind};
use resilient_runtime::{
    Class, Classify, Rejected, attempt, bulkhead, cache, circuit_breaker, coalesce, fallback, hedge,
    load_shed, rate_limit, retry, timeout,
};

type Answer = Result<u64, Failure>;

/// A code. With it an answer fits two registers: moving it would drown what it is moved through.
#[derive(Debug)]
struct Failure(u64);

const DOWN: Failure = Failure(503);

impl Classify for Failure {
    fn classify(&self) -> Class {
        if self.0 == DOWN.0 { Class::Transient } else { Class::Permanent }
    }
}

impl From<Rejected> for Failure {
    fn from(_: Rejected) -> Self {
        Self(429)
    }
}

/// Enough that a bucket of a time window, or whatever else happens now and then, does not show.
const CALLS: u64 = 10_000;

#[inline(never)]
fn answer(n: u64, bad: bool) -> Answer {
    if black_box(bad) { Err(DOWN) } else { Ok(n) }
}

async fn work(n: u64) -> Answer {
    answer(n, false)
}

async fn every_other(n: u64) -> Answer {
    answer(n, n % 2 == 1)
}

async fn pends_once(n: u64) -> Answer {
    let mut pended = false;
    poll_fn(|_| if std::mem::replace(&mut pended, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    answer(n, false)
}

#[circuit_breaker(name = "consecutive")]
async fn guarded(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "count", failure_rate = 0.5, window = 100, min_calls = 10)]
async fn counted(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "marked", failure_rate = 0.5, window = 65536, min_calls = 10)]
async fn marked(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "marked", failure_rate = 0.5, window = 65536, min_calls = 10)]
async fn mark(n: u64) -> Answer {
    answer(n, true)
}

#[circuit_breaker(name = "time", failure_rate = 0.5, window = "10s", min_calls = 10)]
async fn timed(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "flaky")]
async fn flaky(n: u64) -> Answer {
    every_other(n).await
}

#[circuit_breaker(name = "flaky count", failure_rate = 0.9, window = 100, min_calls = 10)]
async fn flaky_counted(n: u64) -> Answer {
    every_other(n).await
}

#[circuit_breaker(name = "open", failure_threshold = 1, reset_timeout = "600s")]
async fn refused(n: u64) -> Answer {
    answer(n, true)
}

#[retry]
async fn retried(n: u64) -> Answer {
    work(n).await
}

#[retry(base = "0s", budget = "none")]
async fn retried_once(n: u64) -> Answer {
    answer(n, attempt() == 1)
}

#[hedge(after = "50ms")]
async fn hedged(n: u64) -> Answer {
    work(n).await
}

#[timeout("2s")]
async fn bounded(n: u64) -> Answer {
    work(n).await
}

#[bulkhead(name = "roomy", max_concurrent = 4)]
async fn confined(n: u64) -> Answer {
    work(n).await
}

/// Before its first window is over, each call is measured.
#[load_shed(name = "calm")]
async fn shedding(n: u64) -> Answer {
    work(n).await
}

#[load_shed(name = "quiet", mode = "throttle")]
async fn throttled(n: u64) -> Answer {
    work(n).await
}

#[rate_limit(name = "plenty", rate = "2000000000/s")]
async fn limited(n: u64) -> Answer {
    work(n).await
}

#[rate_limit(name = "per tenant", rate = "2000000000/s", key = n % 2)]
async fn limited_by_key(n: u64) -> Answer {
    work(n).await
}

#[cache(ttl = "1h", key = ())]
async fn remembered(n: u64) -> Answer {
    work(n).await
}

/// Nobody else asks meanwhile.
#[coalesce]
async fn alone(n: u64) -> Answer {
    work(n).await
}

#[timeout("2s")]
async fn waited(n: u64) -> Answer {
    pends_once(n).await
}

#[fallback(value = 0)]
#[retry]
#[circuit_breaker(name = "stacked")]
#[timeout("2s")]
async fn stacked(n: u64) -> Answer {
    work(n).await
}

async fn work_afar(n: u64) -> Answer {
    work(n).await
}

#[circuit_breaker(name = "consecutive")]
async fn guarded_afar(n: u64) -> Answer {
    work(n).await
}

#[fallback(value = 0)]
#[retry]
#[circuit_breaker(name = "stacked")]
#[timeout("2s")]
async fn stacked_afar(n: u64) -> Answer {
    work(n).await
}

/// Polls once, without a scheduler to blur what it costs.
#[inline(always)]
fn at_once(call: impl Future<Output = Answer>) {
    drop(black_box(pin!(call).poll(&mut Context::from_waker(Waker::noop()))));
}

/// Polls once through a pointer, as an executor does: what the optimizer merges with its caller is back.
#[inline(always)]
fn from_afar(call: impl Future<Output = Answer>) {
    let call = pin!(call);
    let call: Pin<&mut dyn Future<Output = Answer>> = black_box(call);
    drop(black_box(call.poll(&mut Context::from_waker(Waker::noop()))));
}

/// Polls twice.
#[inline(always)]
fn at_last(call: impl Future<Output = Answer>) {
    let (mut call, mut context) = (pin!(call), Context::from_waker(Waker::noop()));
    assert!(black_box(call.as_mut().poll(&mut context)).is_pending());
    drop(black_box(call.poll(&mut context)));
}

/// `figure` instructions for each call, and three per cent of room.
fn at_most(figure: u64) -> LibraryBenchmarkConfig {
    let limit = figure * CALLS * 103 / 100;
    let mut callgrind = Callgrind::with_args(["--cache-sim=no"]);
    LibraryBenchmarkConfig::default().tool(callgrind.hard_limits([(EventKind::Ir, limit)])).clone()
}

macro_rules! repeat {
    ($path:ident) => {
        repeat!($path, at_once)
    };
    ($path:ident, $finish:ident) => {
        |calls| (0..calls).for_each(|n| $finish($path(n)))
    };
}

/// The first call of a site is another matter: it finds its policy.
fn warmed(run: fn(u64)) -> fn(u64) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    std::mem::forget(Box::leak(Box::new(runtime)).enter());
    run(2);
    run
}

fn warmed_with_a_failure(run: fn(u64)) -> fn(u64) {
    let run = warmed(run);
    at_once(mark(0));
    run
}

// The figures are instructions of one call, the direct call and the loop included.
#[library_benchmark(setup = warmed)]
#[bench::direct(args = (repeat!(work)), config = at_most(15))]
#[bench::direct_from_afar(args = (repeat!(work_afar, from_afar)), config = at_most(41))]
#[bench::breaker_consecutive(args = (repeat!(guarded)), config = at_most(73))]
#[bench::breaker_consecutive_from_afar(args = (repeat!(guarded_afar, from_afar)), config = at_most(130))]
#[bench::breaker_count(args = (repeat!(counted)), config = at_most(73))]
#[bench::breaker_count_with_a_failure(args = (repeat!(marked)), setup = warmed_with_a_failure, config = at_most(73))]
#[bench::breaker_time(args = (repeat!(timed)), config = at_most(172))]
#[bench::breaker_consecutive_half_fails(args = (repeat!(flaky)), config = at_most(123))]
#[bench::breaker_count_half_fails(args = (repeat!(flaky_counted)), config = at_most(250))]
#[bench::breaker_open(args = (repeat!(refused)), config = at_most(197))]
#[bench::retry_first_attempt(args = (repeat!(retried)), config = at_most(103))]
#[bench::retry_one_failure(args = (repeat!(retried_once)), config = at_most(389))]
#[bench::hedge_first_attempt(args = (repeat!(hedged)), config = at_most(231))]
#[bench::timeout_ready(args = (repeat!(bounded)), config = at_most(80))]
#[bench::timeout_pends_once(args = (repeat!(waited, at_last)), config = at_most(823))]
#[bench::bulkhead(args = (repeat!(confined)), config = at_most(148))]
#[bench::rate_limit(args = (repeat!(limited)), config = at_most(155))]
#[bench::rate_limit_of_a_key(args = (repeat!(limited_by_key)), config = at_most(771))]
#[bench::cache_hit(args = (repeat!(remembered)), config = at_most(1037))]
#[bench::coalesce_alone(args = (repeat!(alone)), config = at_most(1049))]
#[bench::load_shed_measured(args = (repeat!(shedding)), config = at_most(310))]
#[bench::load_shed_throttle(args = (repeat!(throttled)), config = at_most(185))]
#[bench::stack(args = (repeat!(stacked)), config = at_most(236))]
#[bench::stack_from_afar(args = (repeat!(stacked_afar, from_afar)), config = at_most(303))]
fn calls(run: fn(u64)) {
    run(black_box(CALLS));
}

library_benchmark_group!(name = paths, benchmarks = calls);
main!(library_benchmark_groups = paths);
