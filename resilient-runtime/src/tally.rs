//! Counters that cost a load and a store: each thread adds to a shard that it alone writes.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
// Not explored by models: not to see an owner's bit yet is not to see the shard yet, which they do explore.
use std::sync::atomic::AtomicU64 as Owners;

use crate::sync::{AtomicU64, OnceLock};

mod threads;
use self::threads::NOBODY;
#[cfg(all(test, resilient_loom))]
pub(crate) use threads::enter_as;

/// A model has few threads, and every shard costs it time.
const GROUPS: usize = if cfg!(resilient_loom) { 1 } else { 8 };
const PER_GROUP: usize = if cfg!(resilient_loom) { 4 } else { 8 };
/// Threads that own a shard have the numbers below this but for zero; any further ones share the last.
const THREADS: usize = GROUPS * PER_GROUP;
/// Counters in one shard, which fills two cache lines.
pub(crate) const COUNTERS: usize = if cfg!(resilient_loom) { 9 } else { 16 };

#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct Shard([AtomicU64; COUNTERS]);

impl Shard {
    fn boxed() -> Box<Self> {
        Box::new(Self(std::array::from_fn(|_| AtomicU64::new(0))))
    }

    /// One writer: nobody else's store can come between this load and this store.
    #[inline]
    pub(crate) fn add(&self, counter: usize, n: u64) {
        let count = &self.0[counter];
        count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// A counter that is put to another use, by more than its owner.
    #[inline]
    pub(crate) const fn cell(&self, counter: usize) -> &AtomicU64 {
        &self.0[counter]
    }
}

fn none<T, const N: usize>() -> [OnceLock<T>; N] {
    std::array::from_fn(|_| OnceLock::new())
}

/// Since when counters are read: [`Tally::total`] or [`Tally::sum`].
pub(crate) type Since = fn(&Tally, usize) -> u64;

type Group = [OnceLock<Box<Shard>>; PER_GROUP];

/// Sixteen monotone counters, summed over the threads that wrote them.
pub(crate) struct Tally {
    groups: [OnceLock<Box<Group>>; GROUPS],
    /// The numbers of those who own a shard, a bit each: a sum looks at no other place.
    owners: Owners,
    crowd: OnceLock<Box<Shard>>,
    /// What had been counted when the counters were last reset.
    base: OnceLock<Box<Shard>>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { groups: none(), owners: Owners::new(0), crowd: OnceLock::new(), base: OnceLock::new() }
    }

    #[inline]
    pub(crate) fn add(&self, counter: usize, n: u64) {
        match self.own() {
            Some(shard) => shard.add(counter, n),
            None => self.add_slow(counter, n),
        }
    }

    /// The shard of this thread, if it has counted before.
    #[inline]
    pub(crate) fn own(&self) -> Option<&Shard> {
        self.shard(threads::known())
    }

    /// Thread zero, which is nobody, finds none; and as every number has a place, none is checked.
    #[inline]
    fn shard(&self, thread: usize) -> Option<&Shard> {
        let group = self.groups[thread / PER_GROUP % GROUPS].get()?;
        group[thread % PER_GROUP].get().map(|shard| &**shard)
    }

    #[cold]
    fn add_slow(&self, counter: usize, n: u64) {
        let thread = threads::enrol();
        if thread == NOBODY {
            self.crowd.get_or_init(Shard::boxed).0[counter].fetch_add(n, Relaxed);
            return;
        }
        let group = self.groups[thread / PER_GROUP].get_or_init(|| Box::new(none()));
        let shard = group[thread % PER_GROUP].get_or_init(Shard::boxed);
        self.owners.fetch_or(1 << thread, SeqCst);
        shard.add(counter, n);
    }

    /// Counted since the last reset.
    pub(crate) fn total(&self, counter: usize) -> u64 {
        // Who sees the base must see the counts it was taken from, or the difference wraps.
        let base = self.base.get().map_or(0, |base| base.0[counter].load(Acquire));
        self.sum(counter).wrapping_sub(base)
    }

    /// Starts counting from zero again.
    pub(crate) fn reset(&self) {
        let base = self.base.get_or_init(Shard::boxed);
        for (counter, count) in base.0.iter().enumerate() {
            count.store(self.sum(counter), Release);
        }
    }

    /// Counts what others counted: since the last reset, and since their first day.
    pub(crate) fn inherit(&self, counter: usize, total: u64, sum: u64) {
        self.add(counter, sum);
        if total != sum {
            self.base.get_or_init(Shard::boxed).0[counter].fetch_add(sum.wrapping_sub(total), Release);
        }
    }

    /// Counted since the first day.
    pub(crate) fn sum(&self, counter: usize) -> u64 {
        let shards = self.shards().chain(self.crowd.get().map(|shard| &**shard));
        shards.fold(0, |sum, shard| sum.wrapping_add(shard.0[counter].load(Relaxed)))
    }

    /// Every shard that a thread owns.
    pub(crate) fn shards(&self) -> impl Iterator<Item = &Shard> {
        let mut owners = self.owners.load(SeqCst);
        std::iter::from_fn(move || {
            let thread = owners.trailing_zeros() as usize;
            owners &= owners.checked_sub(1)?;
            Some(self.shard(thread))
        })
        .flatten()
    }
}

/// A number that few other running threads have, if any.
#[cfg(feature = "latency")]
pub(crate) fn lane() -> usize {
    match threads::known() {
        NOBODY => threads::enrol(),
        known => known,
    }
}

impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..COUNTERS).map(|counter| self.total(counter))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_lost_among_more_threads_than_shards() {
        let tally = Tally::new();
        std::thread::scope(|scope| {
            for _ in 0..THREADS + 20 {
                scope.spawn(|| (0..1_000).for_each(|_| tally.add(3, 1)));
            }
        });
        assert_eq!(tally.total(3), 1_000 * (THREADS as u64 + 20));
        assert_eq!(tally.total(2), 0);
    }
}
