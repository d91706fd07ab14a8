//! Answers again what was answered before: while it is fresh, and when it cannot be had anew.

mod look;
#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use resilient_settings::stem::cache as slot;
use resilient_settings::{Value, Written, nanos};

use self::look::Load;
pub use self::look::Looked;
use super::{Policy, Snapshot, Stem};
use crate::configure::Configure;
use crate::copies::{ByClone, Copies};
use crate::function::Function;
use crate::key::{self, Site};
use crate::level::Judge;
use crate::outcome::{ByClassify, Classify};
use crate::record::LayerSite;
use crate::registry::Registry;
use crate::store::Store;
use crate::tally::{Since, Tally};

pub(crate) static STEM: Stem = Stem {
    table: &slot::TABLE,
    limit: |_| None,
    least_waits: |_| None,
    create: |name, written| Box::leak(Box::new(Cache { written: *written, ..Cache::new(name) })),
};

const DEFAULT_TTL: Duration = Duration::from_secs(60);
pub(crate) const DEFAULT_MAX_ENTRIES: u32 = 1_000;

const HITS: usize = 0;
const MISSES: usize = 1;
const STALE_WHILE_REVALIDATED: usize = 2;
const STALE_ON_ERROR: usize = 3;
const STORED: usize = 4;
const REFRESHED: usize = 5;

/// Keeps good values for a time, longer where no next one can be had.
///
/// An error is never kept.
///
/// ```
/// use std::time::Duration;
/// use resilient_runtime::{Cache, Fault};
///
/// static QUOTES: Cache = Cache::new("quotes").ttl(Duration::from_secs(30));
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let load = || async { Ok::<_, Fault<String>>(42) };
/// assert_eq!(QUOTES.get_or("tea", load).await, Ok(42));
/// let down = || async { Err(Fault::Failed("down".to_owned())) };
/// assert_eq!(QUOTES.get_or("tea", down).await, Ok(42));
/// # }
/// ```
#[derive(Debug)]
pub struct Cache {
    name: &'static str,
    written: Written,
    shared: OnceLock<Shared>,
}

/// What the calls of one cache share.
#[derive(Debug)]
struct Shared {
    name: &'static str,
    ttl: AtomicU64,
    stale_if_error: AtomicU64,
    stale_while_revalidate: AtomicU64,
    enabled: AtomicBool,
    store: Store,
    tally: Tally,
}

impl Shared {
    fn new(name: &'static str, written: &Written) -> Self {
        let shared = Self {
            name,
            ttl: AtomicU64::new(0),
            stale_if_error: AtomicU64::new(0),
            stale_while_revalidate: AtomicU64::new(0),
            enabled: AtomicBool::new(true),
            store: Store::new(max_entries(written)),
            tally: Tally::new(),
        };
        shared.apply(written);
        shared
    }

    fn apply(&self, written: &Written) {
        let enabled = written.is_on(slot::ENABLED);
        self.enabled.store(enabled, Relaxed);
        // Where nothing is fresh, or good enough, nothing is found.
        let time = |key, default| if enabled { written.time(key).map_or(default, nanos) } else { 0 };
        self.ttl.store(time(slot::TTL, nanos(DEFAULT_TTL)), Relaxed);
        self.stale_if_error.store(time(slot::STALE_IF_ERROR, 0), Relaxed);
        self.stale_while_revalidate.store(time(slot::STALE_WHILE_REVALIDATE, 0), Relaxed);
        self.store.set_most(max_entries(written));
    }
}

fn max_entries(written: &Written) -> u32 {
    written
        .count(slot::MAX_ENTRIES)
        .map_or(DEFAULT_MAX_ENTRIES, |n| u32::try_from(n).unwrap_or(u32::MAX))
        .max(1)
}

impl Cache {
    /// A cache of its own, which shares its name in events only.
    ///
    /// The setters take effect before the first call.
    #[must_use]
    pub const fn new(name: &'static str) -> Self {
        Self { name, written: Written::NOTHING, shared: OnceLock::new() }
    }

    const fn with(mut self, key: usize, value: Value) -> Self {
        self.written = self.written.set(key, value);
        self
    }

    /// Time for which a value is fresh. **Default: a minute.**
    #[must_use]
    pub const fn ttl(self, time: Duration) -> Self {
        self.with(slot::TTL, Value::time(time))
    }

    /// Time beyond `ttl` for which a value stands in for a failure. **Default: zero.**
    ///
    /// Within [`stale_while_revalidate`](Self::stale_while_revalidate) it does so in any case.
    #[must_use]
    pub const fn stale_if_error(self, time: Duration) -> Self {
        self.with(slot::STALE_IF_ERROR, Value::time(time))
    }

    /// Time beyond `ttl` in which one caller renews what the others get. **Default: zero.**
    ///
    /// Where renewing fails, that caller gets it too.
    #[must_use]
    pub const fn stale_while_revalidate(self, time: Duration) -> Self {
        self.with(slot::STALE_WHILE_REVALIDATE, Value::time(time))
    }

    /// Values kept at once, at least one; the least recently used goes first. **Default: 1000.**
    ///
    /// Changed while calls run, it forgets which values were used last, and what is being loaded is not kept.
    #[must_use]
    pub const fn max_entries(self, entries: u32) -> Self {
        self.with(slot::MAX_ENTRIES, Value::count(entries))
    }

    /// Whether it does anything; otherwise no value is found and none is kept. **Default: true.**
    ///
    /// What it holds stays, and is found once it is switched on again, if it is not too old then.
    #[must_use]
    pub const fn enabled(self, enabled: bool) -> Self {
        self.with(slot::ENABLED, Value::Flag(enabled))
    }

    /// The value of `key`, which `load` gives if there is no fresh one.
    ///
    /// Values of different types have a key each. Two calls at once that miss both load: a
    /// [`Coalesce`](crate::Coalesce) lets one load for all.
    ///
    /// # Errors
    ///
    /// Whatever `load` returned, unless a stale value may stand in for it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the call drops the future of `load`; nothing is kept, and the next call loads.
    pub async fn get_or<K, V, E, F>(&self, key: &K, load: impl FnOnce() -> F) -> Result<V, E>
    where
        K: Hash + Eq + ToOwned<Owned: Eq + Send + Sync + 'static> + ?Sized,
        V: Clone + Send + Sync + 'static,
        E: Classify,
        F: Future<Output = Result<V, E>>,
    {
        match self.shared().look(Site::of::<(K::Owned, V)>(), &(key,)) {
            Looked::Found(value) => Ok(value),
            Looked::Missing(place) => {
                let out = load().await;
                place.settle::<_, ByClassify, ByClone>(out)
            }
        }
    }

    /// Forgets the value of `key`, and what running calls are loading for it.
    ///
    /// Running calls are told apart by groups of keys only: of a few other keys, too, what is being loaded is
    /// answered and not kept.
    ///
    /// For a function whose key has several parts, `key` is the tuple of their owned values.
    pub fn invalidate<K>(&self, key: &K)
    where
        K: Hash + Eq + ToOwned<Owned: Eq + Send + Sync + 'static> + ?Sized,
    {
        self.shared().store.forget(&(key,));
    }

    /// Forgets all values, and what running calls are loading.
    pub fn clear(&self) {
        self.shared().store.clear();
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Its statistics.
    #[must_use]
    pub fn snapshot(&self) -> CacheSnapshot {
        self.count(Tally::total)
    }

    fn count(&self, count: Since) -> CacheSnapshot {
        let Shared { enabled, store, tally, .. } = self.shared();
        let total = |counter| count(tally, counter);
        CacheSnapshot {
            name: self.name,
            enabled: enabled.load(Relaxed),
            entries: store.len(),
            hits: total(HITS),
            misses: total(MISSES),
            stale_while_revalidated: total(STALE_WHILE_REVALIDATED),
            stale_on_error: total(STALE_ON_ERROR),
            stored: total(STORED),
            refreshed: total(REFRESHED),
            evicted: store.evicted(count),
        }
    }

    #[inline]
    fn shared(&self) -> &Shared {
        match self.shared.get() {
            Some(shared) => shared,
            None => self.start(),
        }
    }

    #[cold]
    fn start(&self) -> &Shared {
        self.shared.get_or_init(|| Shared::new(self.name, &self.written))
    }
}

impl Policy for Cache {
    fn apply(&self, written: &Written) {
        self.shared().apply(written);
    }

    fn snapshot(&self, count: Since) -> Snapshot {
        Snapshot::Cache(self.count(count))
    }

    fn reset(&self) {
        self.shared().store.reset();
        self.shared().tally.reset();
    }
}

impl Registry {
    /// The cache `name`, if a function or the configuration knows it.
    #[must_use]
    pub fn cache(self, name: &str) -> Option<&'static Cache> {
        self.find(name)
    }
}

impl Configure {
    /// Sets keys of the cache `name`.
    #[track_caller]
    pub fn cache(self, name: &str, set: impl FnOnce(Cache) -> Cache) -> Self {
        self.with(&STEM, name, &set(Cache::new("")).written)
    }
}

/// Statistics of a cache.
///
/// Every call that came is one of `hits`, `misses` and `stale_while_revalidated`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheSnapshot {
    /// Name of the cache.
    pub name: &'static str,
    /// Whether it does anything.
    pub enabled: bool,
    /// Values kept now.
    pub entries: u64,
    /// Calls answered with a fresh value.
    pub hits: u64,
    /// Calls that ran the layers below.
    pub misses: u64,
    /// Calls answered with a stale value while another renewed it.
    pub stale_while_revalidated: u64,
    /// Misses that failed and were answered with a stale value.
    pub stale_on_error: u64,
    /// Misses whose value was kept.
    pub stored: u64,
    /// Of these, those made while others got the stale value.
    pub refreshed: u64,
    /// Values that had to make room for others.
    pub evicted: u64,
}

/// What an annotated function finds.
#[inline]
pub fn cache<K, V>(
    function: &'static Function,
    layer: &'static LayerSite<Cache>,
    site: Site,
    key: &K,
) -> Looked<'static, K::Kept, V>
where
    K: key::Key,
    V: Clone + Send + Sync + 'static,
{
    layer.policy(function).shared().look(site, key)
}

/// A value that was found as an answer.
#[inline]
pub fn found<O, C, S>(value: S::Kept, _: C, _: S) -> O
where
    C: Judge<O>,
    S: Copies<C::Value>,
{
    C::of(S::give(value))
}

/// Keeps a good answer, and stands in for one that is not.
#[inline]
pub fn settle<K, O, C, S>(load: Load<'_, K, S::Kept>, out: O, _: C, _: S) -> O
where
    K: Eq + Send + Sync + 'static,
    C: Judge<O>,
    S: Copies<C::Value>,
{
    load.settle::<O, C, S>(out)
}
