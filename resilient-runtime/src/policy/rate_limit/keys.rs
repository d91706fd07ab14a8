//! One mark per key: bounded, found by a hash and a read lock.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::limiter::{FIRST_KEY, OVERFLOW};
use crate::clock::Tick;
use crate::key_of::Hashed;
use crate::sync::{AtomicU64, AtomicUsize, RwLock, RwLockReadGuard, RwLockWriteGuard};

const SHARDS: usize = if cfg!(resilient_loom) { 1 } else { 16 };

/// Marks by the hash of their key. Two keys of one hash would share a mark: of ten million keys, two do once
/// in four hundred thousand programs.
pub(super) type Shard = HashMap<u64, AtomicU64, BuildHasherDefault<Hashed>>;

/// Which keys have nothing to tell.
pub(super) struct Sweep<F> {
    /// Whether a mark is where it would be if it never had moved.
    pub(super) is_idle: F,
    pub(super) now: Tick,
    /// Time in which few of them come to rest.
    pub(super) pause: Duration,
}

#[derive(Debug)]
pub(super) struct Keys {
    shards: [RwLock<Shard>; SHARDS],
    /// The seed is random, so that nobody can choose keys that collide.
    hasher: RandomState,
    held: AtomicUsize,
    most: AtomicUsize,
    /// Until then nobody looks for keys to forget, because the last who did found none.
    barren: AtomicU64,
    /// For keys that find no place.
    overflow: AtomicU64,
}

impl Keys {
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            held: AtomicUsize::new(0),
            most: AtomicUsize::new(most),
            barren: AtomicU64::new(0),
            overflow: AtomicU64::new(0),
        }
    }

    pub(super) fn limit(&self, most: usize) {
        self.most.store(most, Relaxed);
    }

    pub(super) fn len(&self) -> usize {
        self.held.load(Relaxed)
    }

    pub(super) fn of(&self, key: &str) -> u64 {
        self.hasher.hash_one(key).max(FIRST_KEY)
    }

    fn shard(&self, of: u64) -> &RwLock<Shard> {
        // The map inside uses the other end of the hash.
        &self.shards[(of >> 32) as usize % SHARDS]
    }

    /// Visits the mark of a key, or the one that the keys without a place share.
    pub(super) fn with<T>(
        &self,
        of: u64,
        sweep: &Sweep<impl Fn(u64) -> bool>,
        visit: impl FnOnce(u64, &AtomicU64) -> T,
    ) -> T {
        if of == OVERFLOW {
            return visit(of, &self.overflow);
        }
        if let Some(mark) = read(self.shard(of)).get(&of) {
            return visit(of, mark);
        }
        if !self.make_room(of, sweep) {
            return visit(OVERFLOW, &self.overflow);
        }
        let mut shard = write(self.shard(of));
        let before = shard.len();
        let visited = visit(of, shard.entry(of).or_insert_with(|| AtomicU64::new(0)));
        if shard.len() == before {
            self.held.fetch_sub(1, Relaxed);
        }
        visited
    }

    /// Reserves a place for one more key, if need be that of a key which has its whole burst: forgetting it
    /// gives it nothing.
    #[cold]
    fn make_room(&self, of: u64, sweep: &Sweep<impl Fn(u64) -> bool>) -> bool {
        let most = self.most.load(Relaxed);
        if self.held.fetch_add(1, Relaxed) < most
            || (!self.is_barren(sweep.now, sweep.pause) && self.forget(of, sweep))
        {
            return true;
        }
        self.held.fetch_sub(1, Relaxed);
        false
    }

    /// A flood of new keys must not make each of them look at all the others.
    fn is_barren(&self, now: Tick, pause: Duration) -> bool {
        let until = Tick::from_nanos(self.barren.load(Relaxed));
        now < until && until.since(now) <= pause
    }

    fn forget<F: Fn(u64) -> bool>(&self, of: u64, sweep: &Sweep<F>) -> bool {
        let first = (of >> 32) as usize;
        for number in first..first + SHARDS {
            let mut shard = write(&self.shards[number % SHARDS]);
            let before = shard.len();
            shard.retain(|_, mark| !(sweep.is_idle)(mark.load(Relaxed)));
            let freed = before - shard.len();
            drop(shard);
            if freed > 0 && self.held.fetch_sub(freed, Relaxed) - freed <= self.most.load(Relaxed) {
                return true;
            }
        }
        self.barren.store(sweep.now.plus(sweep.pause).nanos(), Relaxed);
        false
    }

    /// Every mark there is, while nobody else sees those of the keys.
    pub(super) fn lock(&self) -> Locked<'_> {
        Locked { shards: self.shards.iter().map(write).collect(), overflow: &self.overflow }
    }
}

pub(super) struct Locked<'a> {
    shards: Vec<RwLockWriteGuard<'a, Shard>>,
    overflow: &'a AtomicU64,
}

impl Locked<'_> {
    pub(super) fn words(&self) -> impl Iterator<Item = (u64, &AtomicU64)> {
        let keyed = self.shards.iter().flat_map(|shard| shard.iter().map(|(of, word)| (*of, word)));
        keyed.chain([(OVERFLOW, self.overflow)])
    }
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}
