//! Places, and the queue for them.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::task::Waker;

use crate::sync::{AtomicU64, Mutex, MutexGuard};

/// One waiter in the upper half of the word; a place taken is one in the lower half.
const WAITER: u64 = 1 << 32;
const TAKEN: u64 = WAITER - 1;

/// A call that finds a place, and one that leaves while nobody waits, touch one word and no lock.
#[derive(Debug)]
pub(super) struct Gate {
    word: AtomicU64,
    places: AtomicU64,
    queue: Mutex<Queue>,
}

/// As many waiters as the word says, whose upper half changes under this lock only.
#[derive(Debug, Default)]
struct Queue {
    last: u64,
    /// By ticket, which is the order they came in. Whoever is missing has been given a place.
    waiters: BTreeMap<u64, Waker>,
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
        }
    }

    /// Takes a place if there is one and nobody waits for it.
    #[inline]
    pub(super) fn enter(&self) -> bool {
        let places = self.places.load(Relaxed);
        let mut word = self.word.load(Relaxed);
        // With anybody waiting the word is larger than any number of places.
        while word < places {
            match self.word.compare_exchange_weak(word, word + 1, Acquire, Relaxed) {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Gives a place back, to the first who waits.
    #[inline]
    pub(super) fn leave(&self) {
        if self.word.fetch_sub(1, Release) >= WAITER {
            self.hand_over();
        }
    }

    /// Takes a place or a ticket for one.
    pub(super) fn queue(&self, most: u32, waker: &Waker) -> Queued {
        let waker = waker.clone();
        let mut queue = self.lock();
        loop {
            if self.enter() {
                return Queued::Entered;
            }
            if queue.waiters.len() >= most as usize {
                return Queued::Full;
            }
            // Whoever leaves now either sees the waiter or was seen to leave.
            let word = self.word.load(Relaxed);
            let places = self.places.load(Relaxed);
            if word >= places && self.word.compare_exchange(word, word + WAITER, Acquire, Relaxed).is_ok() {
                break;
            }
        }
        queue.last += 1;
        let ticket = queue.last;
        queue.waiters.insert(ticket, waker);
        Queued::Ticket(ticket)
    }

    /// Whether a place has been given for the ticket; otherwise `waker` learns when.
    pub(super) fn is_served(&self, ticket: u64, waker: &Waker) -> bool {
        // A waker is somebody else's code: none is copied or dropped under the lock.
        let mut waker = waker.clone();
        let mut queue = self.lock();
        let Some(known) = queue.waiters.get_mut(&ticket) else { return true };
        std::mem::swap(known, &mut waker);
        false
    }

    /// Takes a ticket out of the queue, unless a place has been given for it.
    pub(super) fn cancel(&self, ticket: u64) -> bool {
        let mut queue = self.lock();
        let waker = queue.waiters.remove(&ticket);
        if waker.is_some() {
            self.word.fetch_sub(WAITER, Relaxed);
        }
        drop(queue);
        waker.is_some()
    }

    /// Fewer places than are taken take effect as they are left.
    pub(super) fn set_places(&self, places: u32) {
        self.places.store(u64::from(places), Relaxed);
        self.hand_over();
    }

    pub(super) fn places(&self) -> u32 {
        u32::try_from(self.places.load(Relaxed)).unwrap_or(u32::MAX)
    }

    /// Places taken, and calls that wait for one.
    pub(super) fn load(&self) -> (u64, u64) {
        let word = self.word.load(Relaxed);
        (word & TAKEN, word / WAITER)
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
        Some(first.remove())
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
