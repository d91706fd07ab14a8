#![expect(clippy::disallowed_methods, reason = "a benchmark reads the real clock")]

use std::hint::black_box;
use std::pin::pin;
use std::sync::Barrier;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

const BATCH: u64 = 20_000;
const PAIR_BATCH: u64 = 200_000;
const ROUNDS: usize = 60;

/// Polls a future that never waits, without a scheduler to blur what it costs.
#[inline(always)]
pub fn at_once<T>(call: impl Future<Output = T>) -> T {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("nothing to wait for"),
    }
}

pub struct Case<F: ?Sized> {
    pub row: &'static str,
    pub name: &'static str,
    pub run: Box<F>,
}

pub type Single = Case<dyn FnMut(u64)>;
pub type Pair = Case<dyn Fn(u64) + Sync>;

fn median(sorted: &[f64]) -> f64 {
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// For a profiler: nothing but the calls of one case.
pub fn one(cases: &mut [Single], row: &str, name: &str, calls: u64) {
    let case = cases.iter_mut().find(|case| case.row == row && case.name == name);
    (case.expect("a path and a case as the table writes them").run)(calls);
}

/// Interleaved, so that a busy spell of the machine meets every case alike.
pub fn single(cases: &mut [Single]) {
    let mut times = vec![Vec::with_capacity(ROUNDS); cases.len()];
    cases.iter_mut().for_each(|case| (case.run)(BATCH));
    for _ in 0..ROUNDS {
        for (case, times) in cases.iter_mut().zip(&mut times) {
            let began = Instant::now();
            (case.run)(black_box(BATCH));
            times.push(began.elapsed().as_secs_f64() * 1e9 / BATCH as f64);
        }
    }
    times.iter_mut().for_each(|times| times.sort_by(f64::total_cmp));
    println!("| path | case | min ns | median ns | ours / it |\n|---|---|---:|---:|---:|");
    for (case, its) in cases.iter().zip(&times) {
        let ours = cases.iter().position(|other| other.row == case.row).expect("its own row");
        let ratio = times[ours][0] / its[0];
        println!("| {} | {} | {:.2} | {:.2} | {ratio:.3} |", case.row, case.name, its[0], median(its));
    }
}

fn span(case: &Pair, barrier: &Barrier) -> (Instant, Instant) {
    barrier.wait();
    let began = Instant::now();
    (case.run)(black_box(PAIR_BATCH));
    (began, Instant::now())
}

/// Calls per microsecond, unless one thread ran alone for a fifth of the time or more.
fn together(case: &Pair) -> Option<f64> {
    let barrier = Barrier::new(2);
    let ((a, b), (c, d)) = std::thread::scope(|scope| {
        let other = scope.spawn(|| span(case, &barrier));
        let own = span(case, &barrier);
        (own, other.join().expect("a case does not panic"))
    });
    let whole = b.max(d) - a.min(c);
    let shared = b.min(d).checked_duration_since(a.max(c)).unwrap_or(Duration::ZERO);
    (shared * 5 > whole * 4).then(|| 2.0 * PAIR_BATCH as f64 / whole.as_secs_f64() / 1e6)
}

pub fn pairs(cases: &[Pair]) {
    let mut rates = vec![Vec::new(); cases.len()];
    for _ in 0..ROUNDS {
        for (case, rates) in cases.iter().zip(&mut rates) {
            rates.extend(together(case));
        }
    }
    rates.iter_mut().for_each(|rates| rates.sort_by(f64::total_cmp));
    println!(
        "\n| two threads | case | median Mops/s | batches that overlapped | ours / it |\n|---|---|---:|---:|---:|"
    );
    for (case, its) in cases.iter().zip(&rates) {
        let ours = cases.iter().position(|other| other.row == case.row).expect("its own row");
        let (rate, ratio) = (median(its), median(&rates[ours]) / median(its));
        println!("| {} | {} | {rate:.1} | {}/{ROUNDS} | {ratio:.2} |", case.row, case.name, its.len());
    }
}
