//! The marks of one limit, and who waits at them.
//!
//! A permit that is there is taken by one exchange of one word. Where anybody waits, or the settings change,
//! the word says so and a lock decides.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::time::Duration;

use resilient_settings::{Rate, nanos};

use super::keys::{Keys, Sweep};
use super::line::Arrival;
use super::queue::Queue;
use crate::clock::{self, Tick};
use crate::gcra::{MARK_BITS, Moment, Scale};
use crate::sync::{AtomicU64, Mutex, MutexGuard};

/// Somebody waits: who comes has to ask the queue.
pub(super) const QUEUED: u64 = 1;
/// The settings are being changed.
pub(super) const CHANGING: u64 = 2;
/// Counts the changes, so that nobody exchanges a mark of one scale for one of another.
const CHANGE: u64 = 4;
const MARK: u32 = u64::BITS - MARK_BITS;
const CHANGES: u64 = (1 << MARK) - CHANGE;

pub(super) const fn mark(word: u64) -> u64 {
    word >> MARK
}

pub(super) const fn moved(word: u64, mark: u64) -> u64 {
    mark << MARK | word & (CHANGES | QUEUED)
}

/// The word once a change is through.
pub(super) const fn changed(word: u64, mark: u64) -> u64 {
    mark << MARK | word.wrapping_add(CHANGE) & CHANGES | word & QUEUED
}

/// Thirty years, after which timers end too.
const LONGEST_WAIT: u64 = 30 * 365 * 24 * 3_600 * 1_000_000_000;

/// Which mark: the only one, that of the keys that found no place, or that of a key.
pub(super) const ONLY: u64 = 0;
pub(super) const OVERFLOW: u64 = 1;
pub(super) const FIRST_KEY: u64 = 2;

/// What the settings say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms {
    pub(super) rate: Rate,
    pub(super) burst: u32,
    pub(super) max_wait: Duration,
    pub(super) max_keys: usize,
    pub(super) enabled: bool,
    pub(super) observes: bool,
}

impl Terms {
    pub(super) fn scale(&self, now: Tick) -> Scale {
        Scale::new(self.rate, self.burst, now)
    }
}

/// On a line of its own: who moves it takes nothing away from who reads the settings.
#[derive(Debug)]
#[repr(align(128))]
pub(super) struct Apart(pub(super) AtomicU64);

#[derive(Debug)]
pub(super) struct Limiter {
    pub(super) word: Apart,
    origin: AtomicU64,
    length: AtomicU64,
    pace: AtomicU64,
    permit: AtomicU64,
    burst: AtomicU64,
    max_wait: AtomicU64,
    observes: AtomicBool,
    keys: Keys,
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) terms: Terms,
    /// By mark; those at which nobody waits are missing.
    pub(super) queues: HashMap<u64, Queue>,
}

/// Why there was no permit at once.
enum Short {
    /// None is there.
    Used { mark: u64, moment: Moment, scale: Scale },
    /// The queue, or whoever changes the settings, has to be asked.
    Busy,
    /// The line has come to its end, or begins after now.
    Ended,
    /// A burst has fewer.
    Never,
}

impl Limiter {
    pub(super) fn new(terms: Terms) -> Self {
        let limiter = Self {
            word: Apart(AtomicU64::new(0)),
            origin: AtomicU64::new(0),
            length: AtomicU64::new(0),
            pace: AtomicU64::new(0),
            permit: AtomicU64::new(0),
            burst: AtomicU64::new(0),
            max_wait: AtomicU64::new(0),
            observes: AtomicBool::new(false),
            keys: Keys::new(terms.max_keys),
            waiting: Mutex::new(Waiting { terms, queues: HashMap::new() }),
        };
        limiter.publish(&terms, &terms.scale(clock::tick()));
        limiter
    }

    pub(super) fn publish(&self, terms: &Terms, scale: &Scale) {
        // Who reads any of these sees too that the words have changed.
        self.origin.store(scale.origin, Release);
        // A line that ends where it begins: every call looks further, and finds that it needs no permit.
        self.length.store(if terms.enabled { scale.length } else { 0 }, Release);
        self.pace.store(scale.pace, Release);
        self.permit.store(scale.permit, Release);
        self.burst.store(scale.burst, Release);
        self.max_wait.store(nanos(terms.max_wait).min(LONGEST_WAIT), Relaxed);
        self.observes.store(terms.observes, Release);
    }

    /// The scale, which is one with the word that was loaded before if no other has taken its place since.
    #[inline]
    pub(super) fn scale(&self) -> Scale {
        Scale {
            origin: self.origin.load(Acquire),
            length: self.length.load(Acquire),
            pace: self.pace.load(Acquire),
            permit: self.permit.load(Acquire),
            burst: self.burst.load(Acquire),
        }
    }

    /// The scale on which permits are lent, as far ahead as a call might have waited.
    pub(super) fn lending(&self, scale: Scale) -> Scale {
        if self.observes() { scale.ahead(self.max_wait()) } else { scale }
    }

    /// Whether calls need no permit.
    pub(super) fn is_off(&self) -> bool {
        self.length.load(Acquire) == 0
    }

    /// Whether a call that finds no permit passes all the same.
    pub(super) fn observes(&self) -> bool {
        self.observes.load(Acquire)
    }

    pub(super) fn max_wait(&self) -> Duration {
        Duration::from_nanos(self.max_wait.load(Relaxed))
    }

    pub(super) fn terms(&self) -> Terms {
        self.lock().terms
    }

    pub(super) fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Takes permits that are there.
    #[inline]
    pub(super) fn take(&self, of: u64, permits: u32) -> bool {
        let now = clock::tick();
        if of == ONLY {
            return self.take_from(&self.word.0, permits, now, |own| own).is_ok();
        }
        self.with(of, now, |_, word| self.take_from(word, permits, now, |own| own).is_ok())
    }

    /// `lend` gives the scale on which permits may be taken, from the one that the settings say.
    #[inline]
    fn take_from(
        &self,
        word: &AtomicU64,
        permits: u32,
        now: Tick,
        lend: impl Fn(Scale) -> Scale,
    ) -> Result<(), Short> {
        let mut seen = word.load(Acquire);
        loop {
            let short = match self.next(seen, permits, now, &lend) {
                // Released, so that whoever changes the scale does so after it was read here.
                Ok(next) => match word.compare_exchange_weak(seen, next, AcqRel, Acquire) {
                    Ok(_) => return Ok(()),
                    Err(other) => {
                        seen = other;
                        continue;
                    }
                },
                Err(short) => short,
            };
            // Half of what was read may be another scale's, if the word has changed since.
            match word.load(Acquire) {
                same if same == seen => return Err(short),
                other => seen = other,
            }
        }
    }

    /// The word after permits are taken.
    #[inline]
    fn next(&self, word: u64, permits: u32, now: Tick, lend: impl Fn(Scale) -> Scale) -> Result<u64, Short> {
        if word & (QUEUED | CHANGING) != 0 {
            return Err(Short::Busy);
        }
        let scale = self.scale();
        let cost = scale.cost(permits).ok_or(Short::Never)?;
        let moment = scale.moment(now).ok_or(Short::Ended)?;
        let mark = mark(word);
        let next = lend(scale).take(mark, moment, cost).ok_or(Short::Used { mark, moment, scale })?;
        Ok(moved(word, next))
    }

    /// Takes permits, or says after what time they are there.
    ///
    /// # Errors
    ///
    /// That time, or nothing if they never are.
    pub(super) fn take_or_tell(&self, of: u64, permits: u32) -> Result<(), Option<Duration>> {
        self.take_or_tell_on(of, permits, Duration::ZERO, |own| own)
    }

    /// The same with permits that are still to come in the time `ahead`.
    ///
    /// # Errors
    ///
    /// As [`take_or_tell`](Self::take_or_tell).
    pub(super) fn borrow(&self, of: u64, permits: u32, ahead: Duration) -> Result<(), Option<Duration>> {
        self.take_or_tell_on(of, permits, ahead, |own| own.ahead(ahead))
    }

    #[inline]
    fn take_or_tell_on(
        &self,
        of: u64,
        permits: u32,
        ahead: Duration,
        lend: impl Fn(Scale) -> Scale,
    ) -> Result<(), Option<Duration>> {
        loop {
            let now = clock::tick();
            match self.with(of, now, |_, word| self.take_from(word, permits, now, &lend)) {
                Ok(()) => return Ok(()),
                Err(Short::Never | Short::Ended) if self.is_off() => return Ok(()),
                Err(Short::Never) => return Err(None),
                Err(Short::Used { mark, moment, scale }) if !self.lending(scale).is_adrift(mark, moment) => {
                    let cost = scale.cost(permits).unwrap_or(scale.burst);
                    return Err(Some(scale.due(mark + cost).since(now)));
                }
                Err(Short::Busy) => match self.arrive(of, permits, None, ahead) {
                    Arrival::Refused(after) => return Err(after),
                    Arrival::Entered | Arrival::Waits { .. } => return Ok(()),
                },
                Err(Short::Used { .. } | Short::Ended) => self.begin_anew(),
            }
        }
    }

    /// Visits a mark: the only one, or that of a key, or that which stands for it.
    pub(super) fn with<T>(&self, of: u64, now: Tick, visit: impl FnOnce(u64, &AtomicU64) -> T) -> T {
        if of == ONLY {
            return visit(of, &self.word.0);
        }
        let sweep = Sweep {
            // Asked under the lock of the keys, without which nobody changes the scale.
            is_idle: |word| word & QUEUED == 0 && self.scale().debt(mark(word), now) == 0,
            now,
            pause: self.scale().time(self.burst.load(Relaxed) / 64),
        };
        self.keys.with(of, &sweep, visit)
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Permits that are there, of the only mark.
    pub(super) fn available(&self) -> u32 {
        let unchanged = self.lock();
        let scale = self.scale().endless();
        let now = clock::tick();
        let mark = mark(self.word.0.load(Acquire));
        drop(unchanged);
        scale.moment(now).map_or(0, |now| scale.available(mark, now))
    }
}
