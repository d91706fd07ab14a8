//! The throttle between threads: while no call fails, calls only count, each in its thread's shard.

use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use super::settings::Ratio;
use super::throttle::{Throttle, Totals};
use crate::clock::Tick;
use crate::priority::Priority;
use crate::sync::{AtomicU64, Mutex, MutexGuard};

#[derive(Debug)]
pub(super) struct Throttled {
    /// When the next bucket begins, or zero while calls are refused: from then on a call takes the lock.
    calm_until: AtomicU64,
    machine: Mutex<(Throttle, Ratio)>,
}

impl Throttled {
    pub(super) fn new(now: Tick, ratio: Ratio) -> Self {
        let machine = Throttle::new(now, Totals::default());
        Self { calm_until: AtomicU64::new(0), machine: Mutex::new((machine, ratio)) }
    }

    /// Whether a call passes, whatever it is.
    #[inline]
    pub(super) fn is_calm(&self, now: Tick) -> bool {
        now.nanos() < self.calm_until.load(Relaxed)
    }

    /// The share of the calls of this priority to refuse now.
    pub(super) fn share_of(&self, priority: Priority, now: Tick, totals: Totals) -> f64 {
        self.with(now, totals, |machine, ratio| machine.share_of(priority, ratio))
    }

    /// The share of all calls to refuse now.
    pub(super) fn share(&self, now: Tick, totals: Totals) -> f64 {
        self.with(now, totals, |machine, ratio| machine.share(ratio))
    }

    pub(super) fn fail(&self, now: Tick, totals: Totals) {
        self.with(now, totals, |machine, _| machine.fail());
    }

    /// Goes by another ratio, and keeps what was counted.
    pub(super) fn apply(&self, ratio: Ratio) {
        self.lock().1 = ratio;
        self.calm_until.store(0, Relaxed);
    }

    /// Forgets all that came before.
    pub(super) fn reset(&self, now: Tick, totals: Totals) {
        self.lock().0 = Throttle::new(now, totals);
        self.calm_until.store(0, Relaxed);
    }

    fn with<R>(&self, now: Tick, totals: Totals, run: impl FnOnce(&mut Throttle, &Ratio) -> R) -> R {
        let mut guard = self.lock();
        let (machine, ratio) = &mut *guard;
        let turns = machine.advance(now, totals, ratio);
        let result = run(machine, ratio);
        let calm_until = if machine.share(ratio) > 0.0 { 0 } else { turns.nanos() };
        self.calm_until.store(calm_until, Relaxed);
        drop(guard);
        result
    }

    fn lock(&self) -> MutexGuard<'_, (Throttle, Ratio)> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
