//! The machine, and what is kept and told of it, behind the lock.

use std::collections::VecDeque;
use std::sync::PoisonError;

use super::super::history::History;
use super::super::state::Machine;
use super::super::transition::Transition;
use super::{Engine, QUIET};
use crate::clock;
use crate::events::EventKind;
use crate::outcome::Class;
use crate::sync::MutexGuard;
use crate::tally::Tally;

#[derive(Debug)]
pub(super) struct Slow {
    pub(super) machine: Machine,
    /// Quiet successes that the machine knows of.
    pub(super) absorbed: u64,
    pub(super) last_error: Option<Class>,
    pub(super) history: History,
    pub(super) outbox: VecDeque<Transition>,
    /// Somebody is emptying the outbox.
    pub(super) raising: bool,
}

impl Engine {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Slow> {
        self.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The machine, told of everything, for who changes nothing.
    pub(super) fn look(&self) -> MutexGuard<'_, Slow> {
        let mut slow = self.take();
        slow.absorb(&self.tally);
        self.fast.publish_counts(&slow.machine);
        slow
    }

    /// The machine, for who will publish what becomes of it.
    #[inline]
    pub(super) fn take(&self) -> MutexGuard<'_, Slow> {
        let mut slow = self.lock();
        self.fast.claim(&mut slow.machine);
        slow
    }

    pub(super) fn last_error(&self, slow: &Slow) -> Option<Class> {
        self.fast.last_error.get().or(slow.last_error)
    }

    /// Ends a turn at the machine: others see what changed, and hear of it.
    pub(super) fn done(&self, mut slow: MutexGuard<'_, Slow>, transition: Option<Transition>) {
        self.fast.publish(&slow.machine);
        slow.note(transition);
        self.raise_from(slow);
    }

    pub(super) fn raise_from(&self, mut slow: MutexGuard<'_, Slow>) {
        if slow.outbox.is_empty() || slow.raising {
            return;
        }
        slow.raising = true;
        drop(slow);
        self.raise();
    }

    /// Raises events in the order of the transitions, without the lock.
    #[cold]
    fn raise(&self) {
        let raising = Raising(self);
        loop {
            let mut slow = self.lock();
            let Some(transition) = slow.outbox.pop_front() else {
                slow.raising = false;
                std::mem::forget(raising);
                return;
            };
            drop(slow);
            self.emit(|| EventKind::from(transition));
        }
    }
}

/// Lets others raise events when a listener has panicked.
struct Raising<'a>(&'a Engine);

impl Drop for Raising<'_> {
    fn drop(&mut self) {
        self.0.lock().raising = false;
    }
}

impl Slow {
    /// Keeps what happened for who reads it later, and for who is told of it.
    pub(super) fn note(&mut self, transition: Option<Transition>) {
        if let Some(transition) = transition {
            self.history.note(&transition, clock::tick());
            self.outbox.push_back(transition);
        }
    }

    /// Tells the machine of the quiet successes. One that is counted while the state changes may
    /// fall on either side of the change.
    pub(super) fn absorb(&mut self, tally: &Tally) {
        if self.machine.has_window() {
            let quiet = tally.sum(QUIET);
            self.machine.absorb(quiet.wrapping_sub(self.absorbed));
            self.absorbed = quiet;
        }
    }
}
