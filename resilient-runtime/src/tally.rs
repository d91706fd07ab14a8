//! Counters that cost a load and a store: each thread adds to a shard that it alone writes.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, OnceLock, PoisonError};

const GROUPS: usize = 8;
const PER_GROUP: usize = 8;
/// Threads that own a shard; any further ones share the last.
const THREADS: usize = GROUPS * PER_GROUP;
/// Counters in one shard, which fills two cache lines.
pub(crate) const COUNTERS: usize = 16;

#[repr(align(128))]
struct Shard([AtomicU64; COUNTERS]);

impl Shard {
    fn boxed() -> Box<Self> {
        Box::new(Self([const { AtomicU64::new(0) }; COUNTERS]))
    }
}

type Group = [OnceLock<Box<Shard>>; PER_GROUP];

/// Sixteen monotone counters, summed over the threads that wrote them.
pub(crate) struct Tally {
    groups: [OnceLock<Box<Group>>; GROUPS],
    crowd: OnceLock<Box<Shard>>,
    /// What had been counted when the counters were last reset.
    base: OnceLock<Box<Shard>>,
}

impl Tally {
    pub(crate) const fn new() -> Self {
        Self { groups: [const { OnceLock::new() }; GROUPS], crowd: OnceLock::new(), base: OnceLock::new() }
    }

    #[inline]
    pub(crate) fn add(&self, counter: usize, n: u64) {
        let thread = THREAD.get();
        match self.own(thread) {
            // One writer: nobody else's store can come between this load and this store.
            Some(shard) => {
                let count = &shard.0[counter];
                count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
            }
            None => self.add_slow(counter, n),
        }
    }

    #[inline]
    fn own(&self, thread: usize) -> Option<&Shard> {
        let group = self.groups.get(thread / PER_GROUP)?.get()?;
        group[thread % PER_GROUP].get().map(|shard| &**shard)
    }

    #[cold]
    fn add_slow(&self, counter: usize, n: u64) {
        let thread = enrol();
        let Some(group) = self.groups.get(thread / PER_GROUP) else {
            self.crowd.get_or_init(Shard::boxed).0[counter].fetch_add(n, Relaxed);
            return;
        };
        let group = group.get_or_init(|| Box::new([const { OnceLock::new() }; PER_GROUP]));
        let count = &group[thread % PER_GROUP].get_or_init(Shard::boxed).0[counter];
        count.store(count.load(Relaxed).wrapping_add(n), Relaxed);
    }

    /// Counted since the last reset.
    pub(crate) fn total(&self, counter: usize) -> u64 {
        let base = self.base.get().map_or(0, |base| base.0[counter].load(Relaxed));
        self.sum(counter).wrapping_sub(base)
    }

    /// Starts counting from zero again.
    pub(crate) fn reset(&self) {
        let base = self.base.get_or_init(Shard::boxed);
        for (counter, count) in base.0.iter().enumerate() {
            count.store(self.sum(counter), Relaxed);
        }
    }

    /// Counted since the first day.
    pub(crate) fn sum(&self, counter: usize) -> u64 {
        let owned = self.groups.iter().filter_map(OnceLock::get).flat_map(|group| group.iter());
        owned
            .chain([&self.crowd])
            .filter_map(OnceLock::get)
            .fold(0, |sum, shard| sum.wrapping_add(shard.0[counter].load(Relaxed)))
    }
}

impl std::fmt::Debug for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries((0..COUNTERS).map(|counter| self.total(counter))).finish()
    }
}

/// Not enrolled yet, or already past the thread's end.
const UNKNOWN: usize = usize::MAX;

thread_local! {
    static THREAD: Cell<usize> = const { Cell::new(UNKNOWN) };
    static TENURE: Tenure = Tenure::begin();
}

/// Lowest first, so that threads keep to the shards that own a line.
static FREE: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Holds a thread's number until the thread ends; a later thread may have it then.
struct Tenure(usize);

impl Tenure {
    fn begin() -> Self {
        let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
        let number = free.unwrap_or_else(|| usize::try_from(NEXT.fetch_add(1, Relaxed)).unwrap_or(UNKNOWN));
        Self(number)
    }
}

impl Drop for Tenure {
    fn drop(&mut self) {
        // What other thread-locals do while they are destroyed goes to the crowd.
        let _ = THREAD.try_with(|thread| thread.set(UNKNOWN));
        FREE.lock().unwrap_or_else(PoisonError::into_inner).insert(self.0);
    }
}

fn enrol() -> usize {
    let number = TENURE.try_with(|tenure| tenure.0).unwrap_or(UNKNOWN);
    if number < THREADS {
        let _ = THREAD.try_with(|thread| thread.set(number));
    }
    number
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
