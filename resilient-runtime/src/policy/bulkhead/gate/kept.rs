//! Free places that a thread keeps for its next call, on the line of its own counters.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release, SeqCst};

use crate::sync::AtomicU64;
use crate::tally::{COUNTERS, Shard};

/// Two counts that only grow: the places put here, which the thread alone writes, and those taken away.
///
/// The thread puts one by a store where that is enough; whoever takes one, itself or another, has to agree
/// with the others.
pub(super) struct Kept<'a> {
    put: &'a AtomicU64,
    taken: &'a AtomicU64,
}

impl<'a> Kept<'a> {
    #[inline]
    pub(super) const fn of(shard: &'a Shard) -> Self {
        Self { put: shard.cell(COUNTERS - 1), taken: shard.cell(COUNTERS - 2) }
    }

    /// Called by the shard's thread only. With `ordered`, whoever reads the places from here on is seen by
    /// what the thread reads from here on, or sees this one.
    #[inline]
    pub(super) fn keep(&self, ordered: bool) {
        let put = self.put.load(Relaxed).wrapping_add(1);
        if ordered {
            self.put.swap(put, SeqCst);
        } else {
            self.put.store(put, Release);
        }
    }

    #[inline]
    pub(super) fn take(&self) -> bool {
        let (put, taken) = (self.put.load(Acquire), self.taken.load(Relaxed));
        left(put, taken) > 0
            && self.taken.compare_exchange(taken, taken.wrapping_add(1), AcqRel, Relaxed).is_ok()
    }

    pub(super) fn take_all(&self) -> u64 {
        let put = self.put.load(SeqCst);
        let all = |taken| (left(put, taken) > 0).then_some(put);
        self.taken.fetch_update(AcqRel, Relaxed, all).map_or(0, |taken| left(put, taken))
    }

    pub(super) fn count(&self) -> u64 {
        left(self.put.load(SeqCst), self.taken.load(Relaxed))
    }
}

/// None where one count was read later than the other.
#[inline]
fn left(put: u64, taken: u64) -> u64 {
    let left = put.wrapping_sub(taken);
    if left.cast_signed() > 0 { left } else { 0 }
}
