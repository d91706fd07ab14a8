//! The last good value of the same arguments.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use resilient_settings::stem::fallback as slot;
use resilient_settings::{Written, nanos};

use super::FallbackPolicy;
use crate::copies::Copies;
use crate::function::Function;
use crate::key::{Key, Site};
use crate::level::Judge;
use crate::outcome::{Cause, Class};
use crate::record::LayerSite;
use crate::store::{Place, Store};

const DEFAULT_MAX_ENTRIES: u32 = 1_000;

/// What a fallback remembers: most have another answer, and nothing to remember.
#[derive(Debug)]
pub(crate) struct Memory {
    store: OnceLock<Store>,
    /// Held while the store is made, or it could miss the bound that is set meanwhile.
    max_entries: Mutex<u32>,
    max_age: AtomicU64,
}

impl Memory {
    pub(super) fn new(written: &Written) -> Self {
        let memory = Self {
            store: OnceLock::new(),
            max_entries: Mutex::new(DEFAULT_MAX_ENTRIES),
            max_age: AtomicU64::new(u64::MAX),
        };
        memory.apply(written);
        memory
    }

    pub(super) fn apply(&self, written: &Written) {
        let most = written
            .count(slot::MAX_ENTRIES)
            .map_or(DEFAULT_MAX_ENTRIES, |n| u32::try_from(n).unwrap_or(u32::MAX));
        *self.max_entries() = most.max(1);
        self.max_age.store(written.time(slot::MAX_AGE).map_or(u64::MAX, nanos), Relaxed);
        if let Some(store) = self.store.get() {
            store.set_most(most.max(1));
        }
    }

    fn store(&self) -> &Store {
        self.store.get().unwrap_or_else(|| self.make_store())
    }

    #[cold]
    fn make_store(&self) -> &Store {
        let most = self.max_entries();
        self.store.get_or_init(|| Store::new(*most))
    }

    fn max_entries(&self) -> MutexGuard<'_, u32> {
        self.max_entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn max_age(&self) -> Duration {
        Duration::from_nanos(self.max_age.load(Relaxed))
    }

    pub(super) fn len(&self) -> u64 {
        self.store.get().map_or(0, Store::len)
    }

    pub(super) fn reset(&self) {
        if let Some(store) = self.store.get() {
            store.reset();
        }
    }
}

/// Where the answer of a call is kept, or found.
pub struct Remembered<K> {
    policy: &'static FallbackPolicy,
    place: Place<K>,
}

impl<K> fmt::Debug for Remembered<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remembered").field("place", &self.place).finish_non_exhaustive()
    }
}

/// What a call asks for: before its arguments are moved into the body.
pub fn remember<K: Key>(
    function: &'static Function,
    layer: &'static LayerSite<FallbackPolicy>,
    site: Site,
    key: &K,
) -> Remembered<K::Kept> {
    let policy = layer.policy(function);
    Remembered { policy, place: policy.memory.store().place_for(site, key) }
}

/// The answer if it is good, and kept then; otherwise the last good one, if there is one.
#[inline]
pub fn recall<K, O, C, S>(memory: Remembered<K>, out: O, _: C, _: S) -> O
where
    K: Eq + Send + Sync + 'static,
    C: Judge<O>,
    S: Copies<C::Value>,
{
    match C::cause(&out) {
        Some(Cause::Class(class)) if class.is_answer() => {
            // What was true before is not any more.
            if class == Class::Permanent {
                memory.place.remove::<S::Kept>();
            }
            memory.policy.passed_on();
            out
        }
        Some(_) => memory.answer::<O, C, S>(out),
        None => memory.keep::<O, C, S>(out),
    }
}

/// The same with the user's predicate in place of the class.
#[inline]
pub fn recall_when<K, O, C, S>(memory: Remembered<K>, out: O, _: C, _: S, when: fn(&C::Error) -> bool) -> O
where
    K: Eq + Send + Sync + 'static,
    C: Judge<O>,
    S: Copies<C::Value>,
{
    match C::seen(&out) {
        Ok(Ok(_)) => memory.keep::<O, C, S>(out),
        Ok(Err(error)) if !when(error) => {
            memory.policy.passed_on();
            out
        }
        Ok(Err(_)) | Err(_) => memory.answer::<O, C, S>(out),
    }
}

impl<K: Eq + Send + Sync + 'static> Remembered<K> {
    fn keep<O, C: Judge<O>, S: Copies<C::Value>>(self, out: O) -> O {
        if let Ok(Ok(value)) = C::seen(&out)
            && self.policy.is_on()
            && let Some(value) = S::keep(value)
        {
            self.place.keep(value);
        }
        out
    }

    #[cold]
    fn answer<O, C: Judge<O>, S: Copies<C::Value>>(self, out: O) -> O {
        if !self.policy.is_on() {
            self.policy.passed_on();
            return out;
        }
        let known = self.place.find::<S::Kept>();
        let known = known.filter(|entry| entry.age() < self.policy.memory.max_age());
        self.policy.fell_back(known.is_some());
        match known {
            Some(entry) => C::of(S::give(entry.value.clone())),
            None => out,
        }
    }
}
