//! What no function shows: calls of many threads that end in every way.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::error::Fault;

struct Running<'a>(&'a AtomicU32);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// Guards against two flights of one key at once, and against waiters that nobody wakes.
#[test]
fn among_threads_one_call_of_a_key_runs_and_all_end() {
    static FLIGHTS: Coalesce = Coalesce::new("threads");
    static RUNNING: [AtomicU32; 4] = [const { AtomicU32::new(0) }; 4];
    static RUNS: AtomicU64 = AtomicU64::new(0);
    async fn work(key: usize, n: u32) -> Result<u32, Fault<()>> {
        assert_eq!(RUNNING[key].fetch_add(1, SeqCst), 0, "two flights of one key");
        let _running = Running(&RUNNING[key]);
        RUNS.fetch_add(1, SeqCst);
        for _ in 0..n % 3 {
            yield_now().await;
        }
        if n.is_multiple_of(11) {
            std::panic::resume_unwind(Box::new(n));
        }
        if n.is_multiple_of(5) { Err(Fault::Failed(())) } else { Ok(n) }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().expect("threads");
    runtime.block_on(async {
        let mut calls = JoinSet::new();
        for n in 0..8_000_u32 {
            let key = n as usize % 4;
            let abort = calls.spawn(async move { FLIGHTS.call(&key, work(key, n)).await });
            if n.is_multiple_of(13) {
                yield_now().await;
                abort.abort();
            }
        }
        while calls.join_next().await.is_some() {}
    });
    let seen = FLIGHTS.snapshot();
    assert_eq!((seen.in_flight, seen.waiting), (0, 0), "{seen:?}");
    assert_eq!(seen.flights, RUNS.load(SeqCst), "{seen:?}");
}
