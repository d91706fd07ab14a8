//! One breaker per key: bounded, found by a hash and a read lock.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::hash::{BuildHasher, BuildHasherDefault};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::engine::Engine;
use super::limits::Limits;
use crate::key_of::Hashed;
use crate::sync::{Arc, AtomicUsize, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};

const SHARDS: usize = if cfg!(resilient_loom) { 1 } else { 16 };

/// Breakers by the hash of their key, which the breaker itself knows.
type Shard = HashMap<u64, Arc<Engine>, BuildHasherDefault<Hashed>>;

#[derive(Debug)]
pub(super) struct Keys {
    shards: [RwLock<Shard>; SHARDS],
    /// The seed is random, so that nobody can choose keys that collide.
    hasher: RandomState,
    held: AtomicUsize,
    /// New keys for which nobody looks for a place, because the last who looked at all the others found none.
    hopeless: AtomicUsize,
    /// For keys that find no place.
    overflow: OnceLock<Arc<Engine>>,
}

impl Keys {
    pub(super) fn new() -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            held: AtomicUsize::new(0),
            hopeless: AtomicUsize::new(0),
            overflow: OnceLock::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.held.load(Relaxed)
    }

    fn shard(&self, hash: u64) -> &RwLock<Shard> {
        // The map inside uses the other end of the hash.
        &self.shards[(hash >> 32) as usize % SHARDS]
    }

    pub(super) fn find(&self, key: &str) -> Option<Arc<Engine>> {
        let hash = self.hasher.hash_one(key);
        read(self.shard(hash)).get(&hash).filter(|engine| engine.key.as_deref() == Some(key)).cloned()
    }

    /// The breaker of `key`, made like `base` if the key is new.
    pub(super) fn get(&self, key: &str, base: &Engine) -> Arc<Engine> {
        let hash = self.hasher.hash_one(key);
        let known = read(self.shard(hash)).get(&hash).cloned();
        match known {
            Some(engine) if engine.key.as_deref() == Some(key) => engine,
            // Two keys of one hash: one of them has to share.
            Some(_) => self.overflow(base),
            None => self.insert(hash, key, base),
        }
    }

    #[cold]
    fn insert(&self, hash: u64, key: &str, base: &Engine) -> Arc<Engine> {
        let most = base.limits().max_keys;
        if self.held.fetch_add(1, Relaxed) >= most && !self.make_room(hash, base) {
            self.held.fetch_sub(1, Relaxed);
            return self.overflow(base);
        }
        // Made under the lock: what is done to all keys by hand either finds it or was done before.
        match write(self.shard(hash)).entry(hash) {
            Entry::Vacant(place) => Arc::clone(place.insert(like(base, Some(key.into())))),
            Entry::Occupied(other) => {
                self.held.fetch_sub(1, Relaxed);
                Arc::clone(other.get())
            }
        }
    }

    /// Makes a place, unless that is in vain: a flood of new keys pays for a look at four others each.
    fn make_room(&self, hash: u64, base: &Engine) -> bool {
        if self.hopeless.fetch_update(Relaxed, Relaxed, |keys| keys.checked_sub(1)).is_ok() {
            return false;
        }
        let made = self.evict(hash, base);
        if !made {
            self.hopeless.store(self.len() / 4, Relaxed);
        }
        made
    }

    /// Makes a place by forgetting a breaker that nobody uses and that has nothing to tell.
    fn evict(&self, hash: u64, base: &Engine) -> bool {
        let first = (hash >> 32) as usize;
        (first..first + SHARDS).any(|number| {
            let mut shard = write(&self.shards[number % SHARDS]);
            // Nobody can take one out of the map while it is locked, and who had one has counted.
            let is_idle =
                |engine: &mut Arc<Engine>| Arc::get_mut(engine).is_some_and(|engine| engine.is_clean());
            let idle = shard.iter_mut().find_map(|(&hash, engine)| is_idle(engine).then_some(hash));
            let Some(engine) = idle.and_then(|hash| shard.remove(&hash)) else {
                return false;
            };
            base.inherit(&engine);
            self.held.fetch_sub(1, Relaxed);
            true
        })
    }

    fn overflow(&self, base: &Engine) -> Arc<Engine> {
        if let Some(engine) = self.overflow.get() {
            return Arc::clone(engine);
        }
        // As keyed ones are, under a lock that is taken before this one is looked for.
        let _first = write(&self.shards[0]);
        Arc::clone(self.overflow.get_or_init(|| like(base, None)))
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&Engine)) {
        // Whoever visits them may leave them with nothing to tell.
        self.hopeless.store(0, Relaxed);
        for shard in &self.shards {
            // Visiting raises events, so not under the lock.
            let engines: Vec<_> = read(shard).values().cloned().collect();
            for engine in engines {
                visit(&engine);
            }
        }
        if let Some(overflow) = self.overflow.get() {
            visit(overflow);
        }
    }

    pub(super) fn reconfigure(&self, limits: &std::sync::Arc<Limits>) {
        self.for_each(|engine| engine.reconfigure(std::sync::Arc::clone(limits)));
    }
}

fn like(base: &Engine, key: Option<std::sync::Arc<str>>) -> Arc<Engine> {
    let engine = Engine::new(base.name, key, base.limits(), base.held_by());
    #[cfg(feature = "health")]
    engine.hear_from(base);
    Arc::new(engine)
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, not(resilient_loom)))]
mod tests {
    use super::super::{CircuitBreaker, Verdict};
    use super::*;

    #[test]
    fn a_flood_of_keys_looks_for_a_place_now_and_then() {
        let limits = Limits::new(&CircuitBreaker::new("payments").max_keys(40).written);
        let base = Engine::new("payments", None, std::sync::Arc::new(limits), None);
        let keys = Keys::new();
        let call = |key: &str, verdict| {
            let engine = keys.get(key, &base);
            engine.leave(engine.enter().expect("closed"), verdict);
            engine.key.is_some()
        };
        assert!((0..40).all(|key| call(&format!("tenant {key}"), Verdict::Failure(None))));
        assert!(!call("the first too many", Verdict::Success));
        assert!(call("tenant 7", Verdict::Success), "it has nothing to tell now");
        let placed = (0..12).map(|key| call(&format!("stranger {key}"), Verdict::Success));
        assert_eq!(placed.take_while(|placed| !placed).count(), 10);
    }
}
