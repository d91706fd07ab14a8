//! Bytes of one breaker.

use std::time::Duration;

use allocation_counter::measure;
use failsafe::futures::CircuitBreaker as _;
use layered::Service as _;
use resilient_runtime::CircuitBreaker;
use tower::{Service as _, ServiceExt as _};

use crate::bodies::half;
use crate::harness::at_once;
use crate::{ours, peers};

/// Inline and on the heap.
pub struct Bytes {
    pub name: &'static str,
    pub inline: usize,
    pub fresh: i64,
    pub after_ten_thousand_calls: i64,
    pub per_further_thread: i64,
}

fn bytes<B: Sync, T>(name: &'static str, new: impl Fn() -> B, call: impl Fn(&B, u64) -> T + Sync) -> Bytes {
    let mut made = None;
    let first = measure(|| drop(call(made.insert(new()), 0)));
    let breaker = made.expect("just made");
    let fresh = first.bytes_current + i64::try_from(size_of::<B>()).expect("few bytes");
    let later = measure(|| (1..10_000).for_each(|n| drop(call(&breaker, n))));
    let elsewhere = || {
        // What a thread takes once, for all breakers.
        drop(at_once(ours::half_count(0)));
        measure(|| drop(call(&breaker, 0))).bytes_current
    };
    let per_further_thread = std::thread::scope(|scope| scope.spawn(elsewhere).join().expect("no panic"));
    let after_ten_thousand_calls = fresh + later.bytes_current;
    Bytes { name, inline: size_of::<B>(), fresh, after_ten_thousand_calls, per_further_thread }
}

/// Half of the calls fail.
pub fn breakers() -> Vec<Bytes> {
    let count = || CircuitBreaker::new("bytes").failure_rate(0.9).window(100).min_calls(10);
    let timed = move || count().window(Duration::from_secs(10));
    let tower = |window| move || tokio::sync::Mutex::new(peers::tower_resilience(window, half));
    macro_rules! serve {
        ($tower:ident, $n:ident) => {
            at_once(async { $tower.lock().await.ready().await?.call($n).await })
        };
    }
    vec![
        bytes("ours, consecutive", || CircuitBreaker::new("bytes"), |b, n| at_once(b.call(half(n)))),
        bytes("ours, count window of 100", count, |b, n| at_once(b.call(half(n)))),
        bytes("ours, time window of 10 s", timed, |b, n| at_once(b.call(half(n)))),
        bytes("nobreak", peers::nobreak, |b, n| at_once(b.call_async(|| half(n)))),
        bytes("recloser", peers::recloser, |b, n| at_once(b.call(half(n)))),
        bytes("failsafe", peers::failsafe, |b, n| at_once(b.call(half(n)))),
        bytes("circuitbreaker-rs", peers::circuitbreaker_rs, |b, n| at_once(b.call_async(|| half(n)))),
        bytes("seatbelt, time window of 10 s", || peers::seatbelt(half), |b, n| at_once(b.execute(n))),
        bytes("execution-policy", peers::by_failures, |b, n| at_once(b.run(async || half(n).await))),
        bytes("tower-resilience, consecutive", tower(None), |b, n| serve!(b, n)),
        bytes("tower-resilience, time window of 10 s", tower(Some(peers::WINDOW)), |b, n| serve!(b, n)),
    ]
}
