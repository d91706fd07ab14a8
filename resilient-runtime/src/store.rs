//! Values that were answered before, by site and key: so many at most, the least recently used goes first.
//!
//! moka decides who goes and is told nothing else. It sees the hash of a key and a value without a type, so
//! that no code of the user's, not even a `Drop`, runs while it holds a lock of its own; and as its clock
//! cannot be paused, the age of a value is judged here.

use std::any::Any;
use std::cell::RefCell;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, BuildHasherDefault, Hash as _, Hasher as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use moka::notification::RemovalCause;
use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use crate::clock::{self, Tick};
use crate::key::{Key, Site};
use crate::key_of::Hashed;
use crate::tally::{Since, Tally};

/// Moments of the last invalidations are kept for so many groups of keys.
const GROUPS: usize = 64;

const EVICTED: usize = 0;

/// An entry, or the place for it.
type Found<K, V> = Result<Arc<Entry<K, V>>, Place<K>>;

pub(crate) struct Store {
    stock: ArcSwap<Stock>,
    hasher: RandomState,
    /// Where values came from, so that a key can be forgotten wherever it is one.
    sites: RwLock<Vec<Site>>,
    evicted: Arc<Tally>,
    /// Held while one stock takes another's place.
    replacing: Mutex<()>,
}

/// What is kept. Where the bound changes another one takes its place; who found something missing in the old
/// one puts it there, where nobody looks any more.
pub(crate) struct Stock {
    kept: Cache<u64, Kept, BuildHasherDefault<Hashed>>,
    most: u32,
    /// How often a key of each group was forgotten: what was asked for before is not to be kept after.
    forgotten: [AtomicU64; GROUPS],
}

/// A value with its key, and since when it is known.
pub(crate) struct Entry<K, V> {
    site: Site,
    key: K,
    pub(crate) value: V,
    since: Tick,
    renewing: AtomicBool,
    /// Not until it is sure that its key was not forgotten while it was put in.
    valid: AtomicBool,
}

impl<K, V> Entry<K, V> {
    /// A clock that runs behind, as that of another paused runtime may, makes nothing young for ever.
    pub(crate) fn age(&self) -> Duration {
        let now = clock::tick();
        now.since(self.since).max(self.since.since(now))
    }

    /// Whether the caller is the one to renew it.
    pub(crate) fn renew(&self) -> bool {
        !self.renewing.swap(true, Relaxed)
    }

    pub(crate) fn leave(&self) {
        self.renewing.store(false, Relaxed);
    }
}

/// An entry whose type only its reader knows.
type Erased = Arc<dyn Any + Send + Sync>;

/// What moka keeps of an entry. It frees in arrears what it gives up, and in the middle of its own work, so the
/// entry is taken out first and dropped when moka has returned.
#[derive(Clone)]
struct Kept(Arc<ArcSwapOption<Erased>>);

impl Kept {
    fn new(entry: Erased) -> Self {
        Self(Arc::new(ArcSwapOption::from_pointee(entry)))
    }

    fn get(&self) -> Option<Erased> {
        self.0.load().as_deref().cloned()
    }

    fn empty(&self) {
        let mut entry = self.0.swap(None);
        // A thread that ends drops it here.
        let _ = DROPPED.try_with(|dropped| dropped.borrow_mut().extend(entry.take()));
    }
}

thread_local! {
    static DROPPED: RefCell<Vec<Arc<Erased>>> = const { RefCell::new(Vec::new()) };
}

fn drop_what_was_given_up() {
    let next = || DROPPED.try_with(|dropped| dropped.borrow_mut().pop()).ok().flatten();
    while let Some(entry) = next() {
        drop(entry);
    }
}

impl Store {
    pub(crate) fn new(most: u32) -> Self {
        let evicted = Arc::new(Tally::new());
        let stock = ArcSwap::from_pointee(Stock::new(most, &evicted));
        let (hasher, sites, replacing) = (RandomState::new(), RwLock::default(), Mutex::default());
        Self { stock, hasher, sites, evicted, replacing }
    }

    /// Keeps what there is and room for.
    pub(crate) fn set_most(&self, most: u32) {
        let replacing = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let old = self.stock.load_full();
        if old.most == most {
            return;
        }
        let new = Stock::new(most, &self.evicted);
        for (hash, kept) in &old.kept {
            if let Some(entry) = kept.get() {
                new.kept.insert(*hash, Kept::new(entry));
            }
        }
        new.kept.run_pending_tasks();
        self.stock.store(Arc::new(new));
        old.clear();
        drop(replacing);
        drop_what_was_given_up();
    }

    pub(crate) fn clear(&self) {
        // Not while a new stock is filled from the old one.
        let replacing = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        self.stock.load().clear();
        drop(replacing);
        drop_what_was_given_up();
    }

    /// Back to the first day.
    pub(crate) fn reset(&self) {
        self.clear();
        self.evicted.reset();
    }

    pub(crate) fn forget(&self, key: &impl Key) {
        let sites = self.sites.read().unwrap_or_else(PoisonError::into_inner).clone();
        let hashes: Vec<u64> = sites.into_iter().map(|site| self.hash(site, key)).collect();
        // Not while a new stock is filled from the old one.
        let replacing = self.replacing.lock().unwrap_or_else(PoisonError::into_inner);
        let stock = self.stock.load();
        for hash in hashes {
            stock.group(hash).fetch_add(1, SeqCst);
            stock.kept.invalidate(&hash);
        }
        stock.kept.run_pending_tasks();
        drop(replacing);
        drop_what_was_given_up();
    }

    pub(crate) fn evicted(&self, count: Since) -> u64 {
        count(&self.evicted, EVICTED)
    }

    pub(crate) fn len(&self) -> u64 {
        let stock = self.stock.load();
        stock.kept.run_pending_tasks();
        drop_what_was_given_up();
        stock.kept.entry_count()
    }

    pub(crate) fn hash(&self, site: Site, key: &impl Key) -> u64 {
        let mut hasher = self.hasher.build_hasher();
        site.hash(&mut hasher);
        key.feed(&mut hasher);
        hasher.finish()
    }

    /// What is kept for `key`, or the place for it.
    pub(crate) fn find<K: Key, V: Send + Sync + 'static>(&self, site: Site, key: &K) -> Found<K::Kept, V> {
        let hash = self.hash(site, key);
        let stock = self.stock.load();
        stock.find(hash, site, |kept| key.is(kept)).ok_or_else(|| self.place(site, hash, key))
    }

    /// The place for the value of `key`.
    pub(crate) fn place_for<K: Key>(&self, site: Site, key: &K) -> Place<K::Kept> {
        self.place(site, self.hash(site, key), key)
    }

    fn place<K: Key>(&self, site: Site, hash: u64, key: &K) -> Place<K::Kept> {
        self.know(site);
        let stock = self.stock.load_full();
        let forgotten = stock.group(hash).load(SeqCst);
        Place { stock, hash, site, forgotten, key: key.keep() }
    }

    fn know(&self, site: Site) {
        let known = self.sites.read().unwrap_or_else(PoisonError::into_inner).contains(&site);
        if !known {
            let mut sites = self.sites.write().unwrap_or_else(PoisonError::into_inner);
            if !sites.contains(&site) {
                sites.push(site);
            }
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("most", &self.stock.load().most).finish_non_exhaustive()
    }
}

impl Stock {
    fn new(most: u32, evicted: &Arc<Tally>) -> Self {
        let evicted = Arc::clone(evicted);
        let kept = Cache::builder()
            .max_capacity(u64::from(most))
            .eviction_policy(EvictionPolicy::lru())
            .eviction_listener(move |_, kept: Kept, cause| {
                kept.empty();
                if cause == RemovalCause::Size {
                    evicted.add(EVICTED, 1);
                }
            })
            .build_with_hasher(BuildHasherDefault::default());
        Self { kept, most, forgotten: [const { AtomicU64::new(0) }; GROUPS] }
    }

    fn group(&self, hash: u64) -> &AtomicU64 {
        &self.forgotten[(hash >> 32) as usize % GROUPS]
    }

    /// Of two keys of one hash the later one is kept.
    fn find<K: Send + Sync + 'static, V: Send + Sync + 'static>(
        &self,
        hash: u64,
        site: Site,
        is: impl FnOnce(&K) -> bool,
    ) -> Option<Arc<Entry<K, V>>> {
        let kept = self.kept.get(&hash);
        drop_what_was_given_up();
        let entry = kept?.get()?.downcast::<Entry<K, V>>().ok()?;
        (entry.site == site && entry.valid.load(SeqCst) && is(&entry.key)).then_some(entry)
    }

    fn clear(&self) {
        for group in &self.forgotten {
            group.fetch_add(1, SeqCst);
        }
        for (hash, _) in &self.kept {
            self.kept.invalidate(&*hash);
        }
        self.kept.run_pending_tasks();
    }

    fn remove(&self, hash: u64) {
        self.kept.invalidate(&hash);
        self.kept.run_pending_tasks();
        drop_what_was_given_up();
    }
}

/// Where the answer to one call goes.
pub(crate) struct Place<K> {
    stock: Arc<Stock>,
    hash: u64,
    site: Site,
    /// As it was when the call began.
    forgotten: u64,
    key: K,
}

impl<K: Eq + Send + Sync + 'static> Place<K> {
    /// Keeps the value, unless its key was forgotten since the call began; true if it is kept.
    pub(crate) fn keep<V: Send + Sync + 'static>(self, value: V) -> bool {
        let Self { stock, hash, site, forgotten, key } = self;
        let current = || stock.group(hash).load(SeqCst) == forgotten;
        if !current() {
            return false;
        }
        let (renewing, valid) = (AtomicBool::new(false), AtomicBool::new(false));
        let entry = Arc::new(Entry { site, key, value, since: clock::tick(), renewing, valid });
        let erased: Erased = Arc::<Entry<K, V>>::clone(&entry);
        stock.kept.insert(hash, Kept::new(erased));
        let kept = current();
        if kept {
            entry.valid.store(true, SeqCst);
        } else {
            stock.kept.invalidate(&hash);
        }
        // Its queues may be long, and what was put in beyond the bound is in memory until they are seen to.
        stock.kept.run_pending_tasks();
        drop_what_was_given_up();
        kept
    }

    /// What is kept there by now.
    pub(crate) fn find<V: Send + Sync + 'static>(&self) -> Option<Arc<Entry<K, V>>> {
        self.stock.find(self.hash, self.site, |kept| *kept == self.key)
    }

    /// Takes out what is kept there, and leaves alone what others load: an answer is no order to forget, and
    /// there may be many for keys that never had a value.
    pub(crate) fn remove<V: Send + Sync + 'static>(&self) {
        if self.find::<V>().is_some() {
            self.stock.remove(self.hash);
        }
    }
}

impl<K> fmt::Debug for Place<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("hash", &self.hash).finish_non_exhaustive()
    }
}
