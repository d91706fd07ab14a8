//! One breaker per key: bounded, found by a hash and a read lock.

use std::collections::HashMap;
use std::collections::hash_map::{Entry, RandomState};
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher};
use std::io::{Cursor, Write as _};
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::engine::Engine;
use super::limits::Limits;
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
    most: AtomicUsize,
    /// For keys that find no place.
    overflow: OnceLock<Arc<Engine>>,
}

impl Keys {
    pub(super) fn new(most: usize) -> Self {
        Self {
            shards: Default::default(),
            hasher: RandomState::new(),
            held: AtomicUsize::new(0),
            most: AtomicUsize::new(most),
            overflow: OnceLock::new(),
        }
    }

    pub(super) fn limit(&self, most: usize) {
        self.most.store(most, Relaxed);
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
        let most = self.most.load(Relaxed);
        if self.held.fetch_add(1, Relaxed) >= most && !self.evict(hash, base) {
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
        Arc::clone(self.overflow.get_or_init(|| like(base, None)))
    }

    pub(super) fn for_each(&self, mut visit: impl FnMut(&Engine)) {
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
    Arc::new(Engine::new(base.name, key, base.limits(), base.held_by()))
}

fn read(shard: &RwLock<Shard>) -> RwLockReadGuard<'_, Shard> {
    shard.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(shard: &RwLock<Shard>) -> RwLockWriteGuard<'_, Shard> {
    shard.write().unwrap_or_else(PoisonError::into_inner)
}

/// A hash is its own hash.
#[derive(Debug, Default)]
struct Hashed(u64);

impl Hasher for Hashed {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 << 8) | u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A key as the user's expression gave it.
pub struct KeyOf<'a, K: ?Sized>(pub &'a K);

impl<K: ?Sized> fmt::Debug for KeyOf<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyOf")
    }
}

/// Chosen first: the key is text.
pub trait ViaStr<'a> {
    /// The key as text.
    fn key(&self) -> &'a str;
}

impl<'a, K: AsRef<str> + ?Sized> ViaStr<'a> for KeyOf<'a, K> {
    fn key(&self) -> &'a str {
        self.0.as_ref()
    }
}

/// Chosen last: the key is an integer, or an error.
pub trait ViaInteger<K: ?Sized> {
    /// The key as text.
    fn key(&self) -> Digits
    where
        K: Integer;
}

impl<K: ?Sized> ViaInteger<K> for &KeyOf<'_, K> {
    fn key(&self) -> Digits
    where
        K: Integer,
    {
        self.0.digits()
    }
}

/// What a key that is not text has to be.
#[diagnostic::on_unimplemented(
    message = "a key must be text (`AsRef<str>`) or an integer, not `{Self}`",
    label = "neither text nor an integer"
)]
pub trait Integer {
    /// The number in decimal.
    fn digits(&self) -> Digits;
}

impl<K: Integer + ?Sized> Integer for &K {
    fn digits(&self) -> Digits {
        (**self).digits()
    }
}

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Integer for $integer {
            fn digits(&self) -> Digits {
                Digits::new(format_args!("{self}"))
            }
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

/// An integer in decimal, without a heap.
#[derive(Clone, Copy, Debug)]
pub struct Digits {
    text: [u8; Self::MOST],
    length: usize,
}

impl Digits {
    /// As many as `i128::MIN` has, with its sign.
    const MOST: usize = 40;

    fn new(number: fmt::Arguments<'_>) -> Self {
        let mut text = Cursor::new([0; Self::MOST]);
        // Forty bytes are enough for every integer there is.
        let _ = text.write_fmt(number);
        let length = usize::try_from(text.position()).unwrap_or_default();
        Self { text: text.into_inner(), length }
    }
}

impl AsRef<str> for Digits {
    fn as_ref(&self) -> &str {
        std::str::from_utf8(&self.text[..self.length]).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_become_text() {
        assert_eq!(u64::MAX.digits().as_ref(), u64::MAX.to_string());
        assert_eq!(i128::MIN.digits().as_ref(), i128::MIN.to_string());
        assert_eq!(0_u8.digits().as_ref(), "0");
    }

    #[test]
    fn the_kind_of_a_key_is_found_without_a_bound() {
        macro_rules! key {
            ($key:expr) => {
                (&KeyOf(&($key))).key()
            };
        }
        let tenant = String::from("acme");
        let borrowed: &str = &tenant;
        assert_eq!(key!(tenant), "acme");
        assert_eq!(key!(borrowed), "acme");
        assert_eq!(key!(&7_u32).as_ref(), "7");
        assert_eq!(key!(7_i64).as_ref(), "7");
    }
}
