//! Batches of calls that take turns, so that a busy spell of the machine meets every case alike.
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]

use std::hint::black_box;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Barrier, LazyLock};
use std::task::{Context, Poll, Waker};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// About what a batch takes: long enough for two threads to meet.
const BATCH: Duration = Duration::from_millis(2);
const ROUNDS: usize = 100;
/// Batches of two threads, until so many have overlapped.
const ENOUGH: usize = 25;
const TRIES: usize = 250;
const TASKS: u64 = 8;
const CALLS_OF_A_TASK: u64 = 2_000;
/// Batches of eight tasks; on a busy machine few of them have two processors throughout.
const CROWDED: usize = 800;

/// Where timers live; nobody drives it but [`drive`].
pub static ONE: LazyLock<Runtime> = LazyLock::new(|| {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime with a timer")
});

/// Waits for a delay of zero that is a timer all the same, and so takes a millisecond.
pub fn drive<T>(call: impl Future<Output = T>) -> T {
    ONE.block_on(call)
}

/// Polls a future that never waits, without a scheduler to blur what it costs.
#[inline(always)]
pub fn at_once<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

/// Polls a future again and again, where two threads may wait for one another.
#[inline(always)]
pub fn spin<T>(call: impl Future<Output = T>) -> T {
    let (mut call, mut context) = (pin!(call), Context::from_waker(Waker::noop()));
    loop {
        if let Poll::Ready(answer) = call.as_mut().poll(&mut context) {
            return answer;
        }
        std::hint::spin_loop();
    }
}

/// Polls a future that waits once.
#[inline(always)]
pub fn at_last<T>(call: impl Future<Output = T>) -> T {
    let (mut call, mut context) = (pin!(call), Context::from_waker(Waker::noop()));
    assert!(call.as_mut().poll(&mut context).is_pending(), "waits once");
    match call.poll(&mut context) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("waits once only"),
    }
}

pub struct Case {
    pub path: &'static str,
    pub name: &'static str,
    pub run: Box<dyn Fn(u64) + Send + Sync>,
    /// Measured with two threads as well.
    pub two: bool,
}

/// A batch of calls, each in one poll, or in as many as `$poll` makes.
#[macro_export]
macro_rules! calls {
    ($n:ident => $call:expr) => {
        $crate::calls!($n => $call; $crate::harness::at_once)
    };
    ($n:ident => $call:expr; $poll:path) => {
        Box::new(move |calls| (0..calls).for_each(|$n| drop(::std::hint::black_box($poll($call)))))
    };
}

/// The same for a tower service, which is cloned for each thread and asked whether it is ready.
#[macro_export]
macro_rules! serves {
    ($service:ident) => {
        $crate::serves!($service; $crate::harness::at_once)
    };
    ($service:ident; $poll:path) => {
        Box::new(move |calls| {
            let mut service = $service.clone();
            (0..calls).for_each(|n| {
                let call = async { ::tower::ServiceExt::ready(&mut service).await?.call(n).await };
                drop(::std::hint::black_box($poll(call)));
            });
        })
    };
}

pub struct Measured {
    pub path: &'static str,
    pub name: &'static str,
    /// Nanoseconds of one call.
    pub min: f64,
    pub median: f64,
    pub allocations: f64,
    /// Calls in a microsecond on two threads, with the number of batches that count.
    pub two: Option<(f64, usize)>,
}

pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Nanoseconds of each of so many calls.
pub fn time(run: &dyn Fn(u64), calls: u64) -> f64 {
    let began = Instant::now();
    run(black_box(calls));
    began.elapsed().as_secs_f64() * 1e9 / calls as f64
}

/// How many calls make a batch.
fn batch(case: &Case) -> u64 {
    (case.run)(10);
    let once = time(&case.run, 10).min(time(&case.run, 10));
    ((BATCH.as_secs_f64() * 1e9 / once) as u64).max(10)
}

pub fn measure(cases: &[Case]) -> Vec<Measured> {
    let batches: Vec<_> = cases.iter().map(batch).collect();
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    let mut rates = vec![Vec::with_capacity(ROUNDS); cases.len()];
    for (case, &batch) in cases.iter().zip(&batches) {
        (case.run)(batch);
    }
    for _ in 0..ROUNDS {
        for ((case, &batch), times) in cases.iter().zip(&batches).zip(&mut times) {
            times.push(time(&case.run, batch));
        }
    }
    for _ in 0..TRIES {
        for ((case, &batch), rates) in cases.iter().zip(&batches).zip(&mut rates) {
            let wanted = case.two && rates.len() < ENOUGH;
            rates.extend(wanted.then(|| together(case, batch)).flatten());
        }
    }
    let all = cases.iter().zip(&batches).zip(times.iter_mut().zip(&mut rates));
    all.map(|((case, &batch), (times, rates))| Measured {
        path: case.path,
        name: case.name,
        median: median(times),
        min: times[0],
        allocations: allocation_counter::measure(|| (case.run)(batch)).count_total as f64 / batch as f64,
        two: case.two.then(|| (median(rates), rates.len())),
    })
    .collect()
}

/// Calls until the first of two threads has called for long enough, with when they began and ended.
struct Span {
    calls: u64,
    began: Instant,
    ended: Instant,
}

fn span(case: &Case, some: u64, (start, stop): &(Barrier, AtomicBool)) -> Span {
    let _entered = ONE.enter();
    start.wait();
    let (began, mut calls) = (Instant::now(), 0);
    while !stop.load(Relaxed) {
        (case.run)(black_box(some));
        calls += some;
        if began.elapsed() > BATCH {
            stop.store(true, Relaxed);
        }
    }
    Span { calls, began, ended: Instant::now() }
}

/// Calls per microsecond. None if the threads were not together for a fifth of the time or more, or one of
/// them got nowhere: then the machine had other things to do, and contention looks free.
fn together(case: &Case, batch: u64) -> Option<f64> {
    let (some, signals) = ((batch / 100).next_multiple_of(2), (Barrier::new(2), AtomicBool::new(false)));
    let (a, b) = std::thread::scope(|scope| {
        let other = scope.spawn(|| span(case, some, &signals));
        let own = span(case, some, &signals);
        (own, other.join().expect("a case does not panic"))
    });
    let whole = a.ended.max(b.ended) - a.began.min(b.began);
    let both = a.ended.min(b.ended).saturating_duration_since(a.began.max(b.began));
    let contended = both * 5 > whole * 4 && a.calls.min(b.calls) * 4 > a.calls.max(b.calls);
    contended.then(|| (a.calls + b.calls) as f64 / whole.as_secs_f64() / 1e6)
}

/// A task that calls so many times, spawned; it tells which worker ended it.
pub struct Crowd {
    pub path: &'static str,
    pub name: &'static str,
    pub spawn: Box<dyn Fn(u64) -> JoinHandle<ThreadId>>,
}

/// Calls in a microsecond of eight tasks, unless one worker ended most of them: then it was nearly alone.
fn shared(runtime: &Runtime, crowd: &Crowd) -> Option<f64> {
    let began = Instant::now();
    let tasks: Vec<_> = (0..TASKS).map(|_| (crowd.spawn)(CALLS_OF_A_TASK)).collect();
    let ends = tasks.into_iter().map(|task| runtime.block_on(task).expect("a task does not panic"));
    let ends: Vec<_> = ends.collect();
    let rate = (TASKS * CALLS_OF_A_TASK) as f64 / began.elapsed().as_secs_f64() / 1e6;
    let with_first = ends.iter().filter(|end| **end == ends[0]).count();
    (3..=ends.len() - 3).contains(&with_first).then_some(rate)
}

/// The best batch of each, with the number of those that count.
pub fn crowds(runtime: &Runtime, crowds: &[Crowd]) -> Vec<(f64, usize)> {
    let mut rates = vec![Vec::with_capacity(CROWDED); crowds.len()];
    for _ in 0..CROWDED {
        for (crowd, rates) in crowds.iter().zip(&mut rates) {
            rates.extend(shared(runtime, crowd));
        }
    }
    rates.iter().map(|rates| (rates.iter().copied().fold(f64::NAN, f64::max), rates.len())).collect()
}
