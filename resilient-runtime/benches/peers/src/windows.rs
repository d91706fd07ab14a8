//! What a call costs a time window that holds few calls, and one that holds many.

use layered::Service as _;
use resilient_runtime::registry;
use tower::Service as _;

use crate::bodies::work;
use crate::harness::{median, time};
use crate::peers::{self, WINDOW};
use crate::{calls, ours, serves};

pub const FEW: u64 = 1_000;
pub const MANY: u64 = 100_000;
const ROUNDS: usize = 5;

/// A window that holds nothing.
type Fresh = fn() -> Box<dyn Fn(u64)>;

const WINDOWS: [(&str, Fresh, u64); 4] = [
    ("ours", ours, 2_000),
    ("seatbelt", seatbelt, 2_000),
    ("execution-policy", execution_policy, 2_000),
    ("tower-resilience", tower_resilience, 20),
];

fn ours() -> Box<dyn Fn(u64)> {
    assert!(registry().reset("circuit_breaker", "filled"), "named by the attribute");
    calls!(n => ours::filled(n))
}

fn seatbelt() -> Box<dyn Fn(u64)> {
    let seatbelt = peers::seatbelt(work);
    calls!(n => seatbelt.execute(n))
}

fn execution_policy() -> Box<dyn Fn(u64)> {
    let policy = peers::by_ratio();
    calls!(n => policy.run(async || work(n).await))
}

fn tower_resilience() -> Box<dyn Fn(u64)> {
    let tower = peers::tower_resilience(Some(WINDOW), work);
    serves!(tower)
}

/// Least nanoseconds of a call with few and with many calls in the window.
pub fn measure() -> Vec<(&'static str, [f64; 2])> {
    let least = |fresh: Fresh, calls, held| {
        let mut times = [0.0; ROUNDS].map(|_| {
            let run = fresh();
            run(held);
            time(&run, calls)
        });
        median(&mut times);
        times[0]
    };
    WINDOWS.map(|(name, fresh, calls)| (name, [FEW, MANY].map(|held| least(fresh, calls, held)))).to_vec()
}
