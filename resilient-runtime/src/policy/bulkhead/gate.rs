//! Places, and the queue for them.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::task::Waker;

use self::kept::Kept;
use crate::clock::{self, Tick};
use crate::sync::{AtomicU64, Mutex, MutexGuard, one_order};
use crate::tally::Tally;

mod kept;

/// One waiter in the upper half of the word; a place taken is one in the lower half.
const WAITER: u64 = 1 << 32;
const TAKEN: u64 = WAITER - 1;

/// A call that finds a place, and one that leaves while nobody waits, touch one word and no lock.
///
/// While less than half of the places are taken, a thread keeps a place that was left for its next call, on a
/// line of its own: threads meet at the word only when the bulkhead fills. What is kept counts as taken, and
/// [`reclaim`](Self::reclaim) takes it back before anybody is refused or waits.
#[derive(Debug)]
pub(super) struct Gate {
    word: AtomicU64,
    places: AtomicU64,
    queue: Mutex<Queue>,
    pub(super) tally: Tally,
}

/// As many waiters as the word says, whose upper half changes under this lock only.
#[derive(Debug, Default)]
struct Queue {
    last: u64,
    /// By ticket, which is the order they came in.
    waiters: BTreeMap<u64, Waiter>,
    /// Since when they had waited that have been given a place, until they ask.
    served: BTreeMap<u64, Tick>,
}

#[derive(Debug)]
struct Waiter {
    waker: Waker,
    since: Tick,
}

/// What a call gets that did not find a place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Queued {
    /// One was left meanwhile.
    Entered,
    /// This ticket.
    Ticket(u64),
    /// Nothing: the queue is full.
    Full,
}

impl Gate {
    pub(super) fn new(places: u32) -> Self {
        Self {
            word: AtomicU64::new(0),
            places: AtomicU64::new(u64::from(places)),
            queue: Mutex::new(Queue::default()),
            tally: Tally::new(),
        }
    }

    /// Takes a place if there is one and nobody waits for it.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        let kept = || self.tally.own().is_some_and(|own| Kept::of(own).take());
        // With anybody waiting the word is larger than any number of places.
        (self.word.load(Relaxed) <= self.places.load(Relaxed) && kept())
            || self.enter_shared()
            || self.enter_reclaimed()
    }

    /// Takes a place, though there be none, and says how many more than there are were taken before.
    pub(super) fn enter_anyhow(&self) -> u64 {
        let taken = self.word.fetch_add(1, Acquire) & TAKEN;
        taken.saturating_sub(self.places.load(Relaxed))
    }

    #[inline]
    fn enter_shared(&self) -> bool {
        let places = self.places.load(Relaxed);
        let mut word = self.word.load(Relaxed);
        while word < places {
            match self.word.compare_exchange_weak(word, word + 1, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    #[cold]
    fn enter_reclaimed(&self) -> bool {
        if self.word.load(SeqCst) >= WAITER || self.kept() == 0 {
            return false;
        }
        let reclaimed = self.reclaim(&self.lock());
        if self.enter_shared() {
            return true;
        }
        // Somebody may have come to wait for what was kept until now.
        if reclaimed > 0 {
            self.hand_over();
        }
        false
    }

    /// Gives a place back: to the first who waits, or to the next call of this thread.
    ///
    /// Where nobody `waits` nobody has to be woken, and a store is enough. If waits are allowed within the
    /// nanoseconds until it is seen, whoever waits may overlook the place until somebody leaves again.
    #[inline]
    pub(super) fn leave(&self, waits: bool) {
        if self.word.load(Relaxed) <= self.places.load(Relaxed) / 2
            && let Some(own) = self.tally.own()
        {
            Kept::of(own).keep(waits);
            one_order();
            // Whoever came to wait meanwhile either found the place or is seen here.
            if self.word.load(SeqCst) >= WAITER {
                self.recount();
            }
        } else if self.word.fetch_sub(1, Release) >= WAITER {
            self.hand_over();
        }
    }

    /// Takes back what threads keep, for those who wait.
    #[cold]
    pub(super) fn recount(&self) {
        self.reclaim(&self.lock());
        self.hand_over();
    }

    /// Takes back what threads keep, and says how much that was.
    fn reclaim(&self, _: &MutexGuard<'_, Queue>) -> u64 {
        one_order();
        let kept = self.tally.shards().map(|shard| Kept::of(shard).take_all()).sum();
        if kept > 0 {
            self.word.fetch_sub(kept, Release);
        }
        kept
    }

    fn kept(&self) -> u64 {
        self.tally.shards().map(|shard| Kept::of(shard).count()).sum()
    }

    /// Takes a place or a ticket for one.
    pub(super) fn queue(&self, most: u32, waker: &Waker) -> Queued {
        let waiter = Waiter { waker: waker.clone(), since: clock::tick() };
        let mut queue = self.lock();
        loop {
            if self.enter_shared() {
                return Queued::Entered;
            }
            if self.reclaim(&queue) > 0 {
                continue;
            }
            if queue.waiters.len() >= most as usize {
                return Queued::Full;
            }
            // Whoever leaves now either sees the waiter or was seen to leave.
            let word = self.word.load(Relaxed);
            let places = self.places.load(Relaxed);
            if word >= places && self.word.compare_exchange(word, word + WAITER, SeqCst, Relaxed).is_ok() {
                break;
            }
        }
        queue.last += 1;
        let ticket = queue.last;
        queue.waiters.insert(ticket, waiter);
        let reclaimed = self.reclaim(&queue);
        drop(queue);
        if reclaimed > 0 {
            self.hand_over();
        }
        Queued::Ticket(ticket)
    }

    /// Since when it had waited, if a place has been given for the ticket; otherwise `waker` learns when.
    pub(super) fn served(&self, ticket: u64, waker: &Waker) -> Option<Tick> {
        // A waker is somebody else's code: none is copied or dropped under the lock.
        let mut waker = waker.clone();
        let mut queue = self.lock();
        if let Some(waiter) = queue.waiters.get_mut(&ticket) {
            std::mem::swap(&mut waiter.waker, &mut waker);
        }
        queue.served.remove(&ticket)
    }

    /// Takes a ticket out of the queue, unless a place has been given for it.
    pub(super) fn cancel(&self, ticket: u64) -> bool {
        let mut queue = self.lock();
        let waiter = queue.waiters.remove(&ticket);
        if waiter.is_some() {
            self.word.fetch_sub(WAITER, Relaxed);
        }
        drop(queue);
        waiter.is_some()
    }

    /// Takes out a ticket for which nobody asks any more; false if a place is left to leave.
    pub(super) fn abandon(&self, ticket: u64) -> bool {
        self.cancel(ticket) || self.lock().served.remove(&ticket).is_none()
    }

    /// Fewer places than are taken take effect as they are left.
    pub(super) fn set_places(&self, places: u32) {
        self.places.store(u64::from(places), SeqCst);
        self.recount();
    }

    #[cfg(all(test, resilient_loom))]
    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.places.load(Relaxed)).unwrap_or(u32::MAX)
    }

    /// Places taken, and calls that wait for one.
    pub(super) fn load(&self) -> (u64, u64) {
        let word = self.word.load(Relaxed);
        ((word & TAKEN).saturating_sub(self.kept()), word / WAITER)
    }

    #[cold]
    fn hand_over(&self) {
        while let Some(waker) = self.serve() {
            waker.wake();
        }
    }

    /// Gives a place to the first in the queue, if there are both.
    fn serve(&self) -> Option<Waker> {
        let mut queue = self.lock();
        let first = queue.waiters.first_entry()?;
        let places = self.places.load(Relaxed);
        let given = |word: u64| (word & TAKEN < places).then(|| word + 1 - WAITER);
        self.word.fetch_update(Acquire, Relaxed, given).ok()?;
        let (ticket, Waiter { waker, since }) = first.remove_entry();
        queue.served.insert(ticket, since);
        Some(waker)
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
