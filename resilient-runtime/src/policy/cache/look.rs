//! A call that looks for its answer, and what it does when there is none.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::{HITS, MISSES, REFRESHED, STALE_ON_ERROR, STALE_WHILE_REVALIDATED, STEM, STORED, Shared};
use crate::copies::Copies;
use crate::events::EventKind;
use crate::key::{Key, Site};
use crate::level::Judge;
use crate::outcome::{Cause, Class};
use crate::registry;
use crate::store::{Entry, Place};

/// What a call finds.
#[expect(clippy::exhaustive_enums, reason = "the expansion matches on it")]
pub enum Looked<'a, K, V> {
    /// A value to answer with.
    Found(V),
    /// Nothing: the layers below are asked.
    Missing(Load<'a, K, V>),
}

impl<K, V> fmt::Debug for Looked<'_, K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::Found(_)) { "Found" } else { "Missing" })
    }
}

/// A call that asks the layers below.
#[derive(Debug)]
#[must_use = "the answer is to be kept"]
pub struct Load<'a, K, V> {
    shared: &'a Shared,
    place: Place<K>,
    renewal: Renewal<K, V>,
}

/// The stale value that a call renews. Until the call ends others get it.
struct Renewal<K, V>(Option<Arc<Entry<K, V>>>);

impl<K, V> fmt::Debug for Renewal<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Renewal").field(&self.0.is_some()).finish()
    }
}

impl<K, V> Drop for Renewal<K, V> {
    fn drop(&mut self) {
        if let Some(entry) = &self.0 {
            entry.leave();
        }
    }
}

impl Shared {
    #[inline]
    pub(super) fn look<K: Key, V: Clone + Send + Sync + 'static>(
        &self,
        site: Site,
        key: &K,
    ) -> Looked<'_, K::Kept, V> {
        let entry = match self.store.find::<K, V>(site, key) {
            Ok(entry) => entry,
            Err(place) => return self.missing(place, Renewal(None)),
        };
        let age = entry.age();
        if age < self.ttl() {
            self.tally.add(HITS, 1);
            return Looked::Found(entry.value.clone());
        }
        self.look_again(entry, age, site, key)
    }

    #[cold]
    fn look_again<K: Key, V: Clone + Send + Sync + 'static>(
        &self,
        entry: Arc<Entry<K::Kept, V>>,
        age: Duration,
        site: Site,
        key: &K,
    ) -> Looked<'_, K::Kept, V> {
        let good_enough = age < self.ttl().saturating_add(time(&self.stale_while_revalidate));
        if good_enough && !entry.renew() {
            self.tally.add(STALE_WHILE_REVALIDATED, 1);
            self.tell(age);
            return Looked::Found(entry.value.clone());
        }
        let renewal = Renewal(good_enough.then_some(entry));
        self.missing(self.store.place_for(site, key), renewal)
    }

    fn missing<K: Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static>(
        &self,
        place: Place<K>,
        renewal: Renewal<K, V>,
    ) -> Looked<'_, K, V> {
        self.tally.add(MISSES, 1);
        Looked::Missing(Load { shared: self, place, renewal })
    }

    fn ttl(&self) -> Duration {
        time(&self.ttl)
    }

    /// The age up to which a value stands in for a failure. Who renews a value would have got it, had another
    /// come first.
    fn longest(&self) -> Duration {
        let stale = time(&self.stale_if_error).max(time(&self.stale_while_revalidate));
        if stale.is_zero() { stale } else { self.ttl().saturating_add(stale) }
    }

    fn tell(&self, age: Duration) {
        registry::emit(STEM.name, self.name, || EventKind::ServedStale { age });
    }
}

fn time(nanos: &std::sync::atomic::AtomicU64) -> Duration {
    Duration::from_nanos(nanos.load(Relaxed))
}

impl<K: Eq + Send + Sync + 'static, V: Clone + Send + Sync + 'static> Load<'_, K, V> {
    #[inline]
    pub(super) fn settle<O, C, S>(self, out: O) -> O
    where
        C: Judge<O>,
        S: Copies<C::Value, Kept = V>,
    {
        if let Ok(Ok(value)) = C::seen(&out) {
            if let Some(value) = S::keep(value) {
                self.keep(value);
            }
            return out;
        }
        match self.stand_in(C::cause(&out).as_ref()) {
            Some(value) => C::of(S::give(value)),
            None => out,
        }
    }

    fn keep(self, value: V) {
        let Self { shared, place, renewal } = self;
        if !shared.enabled.load(Relaxed) || !place.keep(value) {
            return;
        }
        shared.tally.add(STORED, 1);
        if renewal.0.is_some() {
            shared.tally.add(REFRESHED, 1);
        }
    }

    /// A value in place of a failure.
    #[cold]
    fn stand_in(self, cause: Option<&Cause>) -> Option<V> {
        if let Some(Cause::Class(class)) = cause
            && class.is_answer()
        {
            // What was true before is not any more.
            if *class == Class::Permanent {
                self.place.remove::<V>();
            }
            return None;
        }
        let entry = self.place.find::<V>()?;
        let age = entry.age();
        if age >= self.shared.longest() {
            return None;
        }
        self.shared.tally.add(STALE_ON_ERROR, 1);
        self.shared.tell(age);
        Some(entry.value.clone())
    }
}
