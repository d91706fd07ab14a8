//! Which share of the calls to refuse, by how many of the last ones were accepted. No clock, lock or chance.
//!
//! The share is `max(0, (requests - k * accepts) / (requests + 1))`: refused calls are requests too, which is
//! what makes it settle where `k` times as many calls get through as are accepted. A call counts as accepted
//! from its begin until it fails, so that calls longer than the window do no harm, nor does a crowd of them.

use std::time::Duration;

use super::settings::Ratio;
use crate::clock::{LAG, Tick};
use crate::priority::Priority;

const BUCKETS: u8 = 10;

/// Calls of one stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Bucket {
    /// That came, by priority.
    came: [u64; 4],
    refused: u64,
    failed: u64,
}

/// Calls since the first day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) came: [u64; 4],
    pub(super) refused: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Throttle {
    buckets: [Bucket; BUCKETS as usize],
    current: usize,
    /// When the current one began.
    start: Tick,
    /// What the buckets hold, and held.
    known: Totals,
}

/// The share of calls to refuse.
pub(super) fn share(requests: f64, accepts: f64, k: f64) -> f64 {
    ((requests - k * accepts) / (requests + 1.0)).max(0.0)
}

impl Throttle {
    pub(super) fn new(now: Tick, totals: Totals) -> Self {
        Self { buckets: [Bucket::default(); BUCKETS as usize], current: 0, start: now, known: totals }
    }

    /// Takes in what came since the last time, and says when the next bucket begins.
    pub(super) fn advance(&mut self, now: Tick, totals: Totals, ratio: &Ratio) -> Tick {
        let bucket = &mut self.buckets[self.current];
        let counts = bucket.came.iter_mut().zip(totals.came).zip(&mut self.known.came);
        counts.for_each(|((count, total), known)| take_in(count, total, known));
        take_in(&mut bucket.refused, totals.refused, &mut self.known.refused);
        let length = length(ratio.window);
        if now.plus(LAG) < self.start {
            // Another clock.
            self.start = now;
        }
        let passed = now.since(self.start).as_nanos() / length.as_nanos();
        for _ in 0..passed.min(u128::from(BUCKETS)) {
            self.current = (self.current + 1) % usize::from(BUCKETS);
            self.buckets[self.current] = Bucket::default();
            self.start = self.start.plus(length);
        }
        if passed > u128::from(BUCKETS) {
            self.start = now;
        }
        self.start.plus(length)
    }

    pub(super) fn fail(&mut self) {
        self.buckets[self.current].failed += 1;
    }

    /// The share of all calls to refuse.
    pub(super) fn share(&self, ratio: &Ratio) -> f64 {
        let (came, accepted) = self.counted();
        let requests = came.iter().sum();
        if requests < ratio.min_calls { 0.0 } else { share(number(requests), number(accepted), ratio.k) }
    }

    /// The share of the calls of one priority to refuse: all of a lower one come first.
    pub(super) fn share_of(&self, priority: Priority, ratio: &Ratio) -> f64 {
        let (came, _) = self.counted();
        let mut surplus = self.share(ratio) * number(came.iter().sum());
        for (lower, came) in Priority::ALL.into_iter().zip(came) {
            if lower == priority {
                return (surplus / number(came.max(1))).min(1.0);
            }
            surplus = (surplus - number(came)).max(0.0);
        }
        0.0
    }

    /// What came in the window, by priority, and what of it was accepted.
    fn counted(&self) -> ([u64; 4], u64) {
        let (mut came, mut lost) = ([0; 4], 0);
        for bucket in &self.buckets {
            came.iter_mut().zip(bucket.came).for_each(|(sum, came)| *sum += came);
            lost += bucket.refused + bucket.failed;
        }
        (came, came.iter().sum::<u64>().saturating_sub(lost))
    }
}

/// Threads may bring their totals in another order than they took them.
fn take_in(count: &mut u64, total: u64, known: &mut u64) {
    *count += total.saturating_sub(*known);
    *known = total.max(*known);
}

fn length(window: Duration) -> Duration {
    (window / u32::from(BUCKETS)).max(Duration::from_nanos(1))
}

#[expect(clippy::cast_precision_loss, reason = "no window holds that many calls")]
const fn number(n: u64) -> f64 {
    n as f64
}
