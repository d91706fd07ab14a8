//! The calls under way, and what is measured of them. Calls touch no lock.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

use resilient_settings::nanos;

use super::learner::{ENOUGH, Learner, Plan, Seen};
use super::settings::{Levels, Limits, Settings};
use crate::clock::Tick;
use crate::priority::Priority;
use crate::sync::{AtomicU64, Mutex, MutexGuard};

/// One call under way in the lower half of the word, one that came in the upper half, which overflows.
const CAME: u64 = 1 << 32;
const RUNNING: u64 = CAME - 1;

/// At most one call of eight is measured; where fewer than this end in a window, every one is.
const PLENTY: u64 = 32 * ENOUGH;
const SPARSEST: u64 = 7;

/// So many samples tell enough; the rest of their bits is for threads that look at the same time.
const MOST_SAMPLES: u64 = 60_000;
const SAMPLE_BITS: u32 = 16;
const SAMPLES: u64 = (1 << SAMPLE_BITS) - 1;
/// Nanoseconds. With it the times of all samples have room for five minutes each.
const UNIT: u64 = 64;

/// A clock that is further behind than any thread can be is another one.
const ANOTHER_CLOCK: Duration = Duration::from_secs(1);

/// The places that calls take, as many as the learner says.
#[derive(Debug)]
pub(super) struct Gate {
    word: AtomicU64,
    bounds: Bounds,
    /// Important calls that came while half of them were refused.
    halved: AtomicU64,
    meter: Meter,
    learning: Mutex<Learning>,
}

#[derive(Debug)]
struct Learning {
    learner: Learner,
    limits: Limits,
    levels: Levels,
    /// Calls that had been refused when the window began.
    rejected: u64,
}

/// Calls under way from which on a priority is refused.
#[derive(Debug, Default)]
struct Bounds {
    optional: AtomicU64,
    normal: AtomicU64,
    half: AtomicU64,
    important: AtomicU64,
    critical: AtomicU64,
}

/// A call that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entered {
    pub(super) measured: bool,
}

/// How a measured call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Well,
    /// Because there were too many.
    Dropped,
    /// Nobody waited for it any longer.
    Abandoned,
}

impl Gate {
    pub(super) fn new(now: Tick, settings: &Settings) -> Self {
        let mut learner = Learner::new(&settings.limits);
        let plan = learner.plan(now, &settings.limits);
        let gate = Self {
            word: AtomicU64::new(0),
            bounds: Bounds::default(),
            halved: AtomicU64::new(0),
            meter: Meter::default(),
            learning: Mutex::new(Learning {
                learner,
                limits: settings.limits,
                levels: settings.levels,
                rejected: 0,
            }),
        };
        gate.publish(&plan, &settings.levels);
        gate
    }

    /// Takes a place, unless too many are taken for the priority.
    #[inline]
    pub(super) fn enter(&self, priority: Priority) -> Option<Entered> {
        let bound = match priority {
            Priority::Optional => &self.bounds.optional,
            Priority::Normal => &self.bounds.normal,
            Priority::Important => return self.enter_important(),
            Priority::Critical => &self.bounds.critical,
        };
        self.enter_below(bound.load(Relaxed))
    }

    #[inline]
    fn enter_below(&self, bound: u64) -> Option<Entered> {
        let mut word = self.word.load(Relaxed);
        while word & RUNNING < bound {
            match self.word.compare_exchange_weak(word, word.wrapping_add(CAME + 1), Acquire, Relaxed) {
                Ok(_) => return Some(self.entered(word)),
                Err(now) => word = now,
            }
        }
        None
    }

    /// Every other one, once half of them are refused: a counter, for chance would refuse ten in a row.
    fn enter_important(&self) -> Option<Entered> {
        let half = self.bounds.half.load(Relaxed);
        self.enter_below(half).or_else(|| {
            let admitted = self.halved.fetch_add(1, Relaxed) % 2 == 1;
            if admitted { self.enter_below(self.bounds.important.load(Relaxed)) } else { None }
        })
    }

    /// Takes a place, however many are taken.
    pub(super) fn enter_anyhow(&self) -> Entered {
        self.entered(self.word.fetch_add(CAME + 1, Acquire))
    }

    #[inline]
    fn entered(&self, word: u64) -> Entered {
        let measured = (word / CAME) & self.meter.sparse.load(Relaxed) == 0;
        if measured {
            self.meter.peak.fetch_max((word & RUNNING) + 1, Relaxed);
        }
        Entered { measured }
    }

    /// Gives a place back.
    #[inline]
    pub(super) fn leave(&self) {
        self.word.fetch_sub(1, Release);
    }

    /// Takes note of a measured call; true if its window is over.
    pub(super) fn measure(&self, begun: Tick, now: Tick, end: End) -> bool {
        let (meter, plan) = (&self.meter, self.meter.plan());
        if is_another_clock(&plan, now) {
            return true;
        }
        if plan.takes(begun, now) {
            let took = now.since(begun);
            match end {
                End::Well => meter.sample(took),
                End::Abandoned if took <= plan.slow => {}
                // Who can tell now what is slow? The calls that end well, from the next window on.
                End::Abandoned if plan.slow.is_zero() && meter.ended.load(Relaxed) > 0 => {}
                End::Dropped | End::Abandoned => {
                    meter.drops.fetch_add(1, Relaxed);
                }
            }
        }
        plan.is_over(now, meter.seen())
    }

    /// Decides about the next window, unless another thread does; `rejected` calls have been refused since the
    /// first day. True if none was in a window that is over.
    pub(super) fn close(&self, now: Tick, rejected: u64) -> bool {
        let mut learning = match self.learning.try_lock() {
            Ok(learning) => learning,
            Err(TryLockError::Poisoned(learning)) => learning.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let plan = self.meter.plan();
        let another_clock = is_another_clock(&plan, now);
        if !another_clock && !plan.is_over(now, self.meter.seen()) {
            return false;
        }
        let seen = self.meter.take(rejected != learning.rejected);
        learning.rejected = rejected;
        let limits = learning.limits;
        let plan = if another_clock {
            learning.learner.plan(now, &limits)
        } else {
            self.meter.thin_out(seen.samples + seen.drops);
            learning.learner.close(now, &seen, &limits)
        };
        self.publish(&plan, &learning.levels);
        drop(learning);
        !seen.refused
    }

    /// Goes by other settings, and keeps what was learned.
    pub(super) fn apply(&self, now: Tick, settings: &Settings) {
        let mut learning = self.lock();
        // A plan begins a window: reloads that come more often than windows end would keep it from learning.
        if (learning.limits, learning.levels) == (settings.limits, settings.levels) {
            return;
        }
        (learning.limits, learning.levels) = (settings.limits, settings.levels);
        let plan = learning.learner.plan(now, &settings.limits);
        self.publish(&plan, &settings.levels);
        drop(learning);
    }

    pub(super) fn reset(&self, now: Tick) {
        let mut learning = self.lock();
        let limits = learning.limits;
        learning.learner = Learner::new(&limits);
        self.meter.take(false);
        let plan = learning.learner.plan(now, &limits);
        self.publish(&plan, &learning.levels);
        drop(learning);
    }

    fn lock(&self) -> MutexGuard<'_, Learning> {
        self.learning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn running(&self) -> u64 {
        self.word.load(Relaxed) & RUNNING
    }

    pub(super) fn limit(&self) -> u64 {
        self.bounds.important.load(Relaxed)
    }

    /// How long a call takes when none queues, and how long calls queue.
    pub(super) fn learned(&self) -> (Option<Duration>, Duration) {
        let learning = self.lock();
        (learning.learner.baseline(), learning.learner.queue_time())
    }

    /// Under the learner's lock.
    fn publish(&self, plan: &Plan, levels: &Levels) {
        let bounds = &self.bounds;
        for (bound, limit, level) in [
            (&bounds.optional, plan.limit, levels.optional),
            (&bounds.normal, plan.limit, levels.normal),
            (&bounds.half, plan.limit, levels.important),
            (&bounds.important, plan.limit, 1.0),
            (&bounds.critical, plan.critical, levels.critical),
        ] {
            bound.store(share(limit, level), Relaxed);
        }
        self.meter.set(plan);
    }
}

fn is_another_clock(plan: &Plan, now: Tick) -> bool {
    now.plus(ANOTHER_CLOCK) < plan.made
}

/// At least one: however low the limit is, somebody may call.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded up, and saturates")]
fn share(limit: u32, level: f64) -> u64 {
    // What is a whole number but for the last bit is one.
    ((f64::from(limit) * level - 1e-9).ceil() as u64).clamp(1, RUNNING)
}

/// What is measured, and how.
#[derive(Debug, Default)]
struct Meter {
    /// Samples in the lower bits, and the time they took above: no window gets one without the other.
    ended: AtomicU64,
    drops: AtomicU64,
    peak: AtomicU64,
    /// A call is measured if none of these bits is set in its number.
    sparse: AtomicU64,
    from: AtomicU64,
    begun: AtomicU64,
    until: AtomicU64,
    give_up: AtomicU64,
    slow: AtomicU64,
    made: AtomicU64,
}

impl Meter {
    fn seen(&self) -> u64 {
        (self.ended.load(Relaxed) & SAMPLES) + self.drops.load(Relaxed)
    }

    fn sample(&self, took: Duration) {
        if self.ended.load(Relaxed) & SAMPLES < MOST_SAMPLES {
            self.ended.fetch_add(((nanos(took) / UNIT) << SAMPLE_BITS) | 1, Relaxed);
        }
    }

    fn take(&self, refused: bool) -> Seen {
        let ended = self.ended.swap(0, Relaxed);
        Seen {
            samples: ended & SAMPLES,
            total: (ended >> SAMPLE_BITS).saturating_mul(UNIT),
            drops: self.drops.swap(0, Relaxed),
            peak: u32::try_from(self.peak.swap(0, Relaxed)).unwrap_or(u32::MAX),
            refused,
        }
    }

    fn thin_out(&self, seen: u64) {
        let sparse = self.sparse.load(Relaxed);
        let denser = if seen > PLENTY { sparse << 1 | 1 } else { sparse >> 1 };
        if !(2 * ENOUGH..=PLENTY).contains(&seen) {
            self.sparse.store(denser & SPARSEST, Relaxed);
        }
    }

    /// May mix two plans while another thread sets one: a call then counts in one window or the other.
    fn plan(&self) -> Plan {
        let tick = |tick: &AtomicU64| Tick::from_nanos(tick.load(Relaxed));
        Plan {
            limit: 0,
            critical: 0,
            from: tick(&self.from),
            begun: tick(&self.begun),
            until: tick(&self.until),
            give_up: tick(&self.give_up),
            slow: Duration::from_nanos(self.slow.load(Relaxed)),
            made: tick(&self.made),
        }
    }

    fn set(&self, plan: &Plan) {
        for (field, tick) in [
            (&self.from, plan.from),
            (&self.begun, plan.begun),
            (&self.until, plan.until),
            (&self.give_up, plan.give_up),
            (&self.made, plan.made),
        ] {
            field.store(tick.nanos(), Relaxed);
        }
        self.slow.store(nanos(plan.slow), Relaxed);
    }
}
