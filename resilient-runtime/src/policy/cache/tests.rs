//! What no function shows: threads that meet at a cache, against what each of them may see.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use super::*;
use crate::error::Fault;

const THREADS: u32 = 4;
const ROUNDS: u32 = 2_000;

/// Runs the part of each thread.
fn threads(part: impl AsyncFn(u32) + Sync) {
    let run = |thread| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        runtime.expect("no timer is needed").block_on(part(thread));
    };
    let run = &run;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || run(thread));
        }
    });
}

async fn load(cache: &Cache, key: u32, value: impl FnOnce() -> u64) -> u64 {
    let loaded = cache.get_or(&key, || async { Ok::<_, Fault<()>>(value()) }).await;
    loaded.expect("it loads")
}

/// Guards against a value that was read before it was forgotten, and kept after.
#[test]
fn no_thread_sees_a_value_from_before_it_was_forgotten() {
    let (cache, version) = (Cache::new("versions").ttl(Duration::from_secs(3_600)), AtomicU64::new(0));
    threads(async |_| {
        for round in 0..ROUNDS {
            let since = version.fetch_add(1, SeqCst) + 1;
            if round.is_multiple_of(7) {
                cache.clear();
            } else {
                cache.invalidate(&1_u32);
            }
            let seen = load(&cache, 1, || version.load(SeqCst)).await;
            assert!(seen >= since, "{seen} is older than {since}");
        }
    });
}

#[test]
fn what_is_forgotten_while_the_bound_changes_stays_forgotten() {
    const KEYS: u32 = 200;
    let (cache, version) = (Cache::new("moved").ttl(Duration::from_secs(3_600)), AtomicU64::new(0));
    threads(async |thread| {
        for round in 0..ROUNDS / 100 {
            if thread == 0 {
                cache.shared().apply(&Cache::new("").max_entries(2 * KEYS + round).written);
                continue;
            }
            let since = version.fetch_add(1, SeqCst) + 1;
            for key in 0..KEYS {
                cache.invalidate(&key);
                let seen = load(&cache, key, || version.load(SeqCst)).await;
                assert!(seen >= since, "{key}: {seen} is older than {since}");
            }
        }
    });
}

#[test]
fn the_bound_holds_among_threads_and_while_it_changes() {
    let cache = Cache::new("bounded").max_entries(64);
    threads(async |thread| {
        for round in 0..ROUNDS {
            let key = thread * ROUNDS + round;
            assert_eq!(load(&cache, key, || key.into()).await, u64::from(key));
            if round.is_multiple_of(500) {
                cache.shared().apply(&Cache::new("").max_entries(32 + round / 500).written);
            }
        }
    });
    assert!(cache.snapshot().entries <= 64, "{:?}", cache.snapshot());
}
