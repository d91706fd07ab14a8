//! The last events of each policy, and when each of its warnings was last given.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use super::Event;
use super::settings::DEFAULT_MOST;
use super::word::Word;
use crate::clock::{self, Tick};
use crate::registry::Registry;

/// Policies that have a diary, by stem and name. Code by hand may make any number of them.
const POLICIES: usize = 1024;

/// Warnings of one kind about one policy are at least so far apart.
const PAUSE: Duration = Duration::from_secs(10);

/// The last events of one policy, oldest first.
///
/// ```
/// use resilient_runtime::{CircuitBreaker, registry};
///
/// CircuitBreaker::new("payments").force_open();
/// let recent = registry().recent("circuit_breaker", "payments").expect("something happened");
/// assert_eq!(recent.events[0].kind.as_str(), "forced_open");
///
/// let seen = recent.total();
/// CircuitBreaker::new("payments").force_open();
/// let recent = registry().recent("circuit_breaker", "payments").expect("something happened");
/// let (new, missed) = recent.since(seen);
/// assert_eq!((new.len(), missed), (1, 0));
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Recent {
    /// Kind of policy, as in its attribute: `"retry"`, `"circuit_breaker"`.
    pub stem: &'static str,
    /// Name of the policy.
    pub policy: &'static str,
    /// Those that are still remembered.
    pub events: Vec<Event>,
    /// How many older ones are gone.
    pub forgotten: u64,
}

impl Recent {
    /// How many there were in all, to ask for those [`since`](Self::since).
    #[must_use]
    pub fn total(&self) -> u64 {
        self.forgotten + self.events.len() as u64
    }

    /// The events after the first `seen`, and how many of these are gone.
    #[must_use]
    pub fn since(&self, seen: u64) -> (&[Event], u64) {
        let missed = self.forgotten.saturating_sub(seen);
        let known = usize::try_from(seen.saturating_sub(self.forgotten)).unwrap_or(usize::MAX);
        (self.events.get(known..).unwrap_or_default(), missed)
    }
}

impl Registry {
    /// The last events of one policy, unless nothing has happened to it.
    ///
    /// A hundred of each policy are remembered, or as many as [`Configure::recent`] says, and of at
    /// most 1 024 policies. What comes with every call while something is wrong is not: `rejected`,
    /// `would_reject`, `retrying`, `not_retryable`, `retry_after`, `fell_back`, `served_stale`, `hedging`
    /// and `hedge_won` are counted in the policies' statistics, and remembered if
    /// [`Configure::remember`] says so. The keys of a keyed policy share one memory.
    ///
    /// `stem` is the kind as in its attribute: `"retry"`, `"circuit_breaker"`.
    ///
    /// [`Configure::recent`]: crate::Configure::recent
    /// [`Configure::remember`]: crate::Configure::remember
    #[must_use]
    pub fn recent(self, stem: &str, name: &str) -> Option<Recent> {
        let diary = self.0.bus.diaries.find(stem, name)?;
        Some(diary.recent())
    }

    /// The last events of every policy that has any, by kind and name.
    #[must_use]
    pub fn all_recent(self) -> Vec<Recent> {
        self.0.bus.diaries.all().iter().map(|diary| diary.recent()).collect()
    }
}

pub(super) struct Diaries {
    kept: RwLock<BTreeMap<(&'static str, &'static str), Arc<Diary>>>,
    /// For the warnings of policies that have no diary.
    others: Arc<Diary>,
    most: AtomicUsize,
}

impl Diaries {
    pub(super) fn new() -> Self {
        let others = Arc::new(Diary::new("", ""));
        Self { kept: RwLock::default(), others, most: AtomicUsize::new(DEFAULT_MOST) }
    }

    pub(super) fn set_most(&self, most: usize) {
        self.most.store(most, Relaxed);
        for diary in self.all() {
            let mut pages = diary.pages();
            pages.keep(most);
            pages.events.shrink_to_fit();
        }
    }

    /// Numbers the event and remembers it, if there is room.
    pub(super) fn enter(&self, event: &mut Event, number: impl FnOnce() -> u64) -> bool {
        let most = self.most.load(Relaxed);
        if most == 0 {
            return false;
        }
        let Some(diary) = self.of(event.stem, event.policy) else { return false };
        let mut pages = diary.pages();
        // Under the lock, so that the numbers of one policy only grow.
        event.seq = number();
        pages.push(event.clone(), most);
        true
    }

    /// Whether a warning may be given now, and how many were left out before it.
    pub(super) fn may_warn(&self, stem: &'static str, policy: &'static str, word: Word) -> Option<u64> {
        let diary = self.of(stem, policy).unwrap_or_else(|| Arc::clone(&self.others));
        let now = clock::tick();
        diary.pages().may_warn(word, now)
    }

    fn find(&self, stem: &str, policy: &str) -> Option<Arc<Diary>> {
        lookup(&self.kept.read().unwrap_or_else(PoisonError::into_inner), stem, policy)
    }

    fn all(&self) -> Vec<Arc<Diary>> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    fn of(&self, stem: &'static str, policy: &'static str) -> Option<Arc<Diary>> {
        if let known @ Some(_) = self.find(stem, policy) {
            return known;
        }
        let mut diaries = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if diaries.len() == POLICIES && !diaries.contains_key(&(stem, policy)) {
            return None;
        }
        let diary = diaries.entry((stem, policy)).or_insert_with(|| Arc::new(Diary::new(stem, policy)));
        Some(Arc::clone(diary))
    }
}

/// The map's keys are static, but the name asked for need not be.
fn lookup<'a>(
    diaries: &BTreeMap<(&'a str, &'a str), Arc<Diary>>,
    stem: &'a str,
    policy: &'a str,
) -> Option<Arc<Diary>> {
    diaries.get(&(stem, policy)).cloned()
}

struct Diary {
    stem: &'static str,
    policy: &'static str,
    pages: Mutex<Pages>,
}

impl Diary {
    fn new(stem: &'static str, policy: &'static str) -> Self {
        Self { stem, policy, pages: Mutex::default() }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self) -> Recent {
        let pages = self.pages();
        let (events, forgotten) = (pages.events.iter().cloned().collect(), pages.forgotten);
        Recent { stem: self.stem, policy: self.policy, events, forgotten }
    }
}

#[derive(Default)]
struct Pages {
    events: VecDeque<Event>,
    forgotten: u64,
    warnings: Vec<Warning>,
}

struct Warning {
    word: Word,
    given: Tick,
    suppressed: u64,
}

impl Pages {
    fn keep(&mut self, most: usize) {
        while self.events.len() > most {
            self.events.pop_front();
            self.forgotten += 1;
        }
    }

    /// Doubles its room, but takes no more than it can use.
    fn push(&mut self, event: Event, most: usize) {
        self.keep(most - 1);
        if self.events.len() == self.events.capacity() {
            let room = self.events.len().max(4).min(most - self.events.len());
            self.events.reserve_exact(room);
        }
        self.events.push_back(event);
    }

    fn may_warn(&mut self, word: Word, now: Tick) -> Option<u64> {
        let Some(last) = self.warnings.iter_mut().find(|warning| warning.word == word) else {
            self.warnings.push(Warning { word, given: now, suppressed: 0 });
            return Some(0);
        };
        // A clock that runs behind, as that of another paused runtime may, silences nothing for ever.
        if now.since(last.given).max(last.given.since(now)) < PAUSE {
            last.suppressed += 1;
            return None;
        }
        last.given = now;
        Some(std::mem::take(&mut last.suppressed))
    }
}
