//! What calls read, and all that most of them need.

use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release};
use std::time::Duration;

use resilient_settings::nanos;

use super::last_error::LastError;
use super::state::Machine;
use super::ticket::Ticket;
use super::word::{ASK, COUNTS, DISABLED, FORCED_OPEN, MOST, OPEN, TELL, TIMED, TURNS, Word};
use crate::clock::Tick;
use crate::sync::AtomicU64;

/// What became of an outcome that the word may count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// Nothing: the machine has to be told.
    Refused,
    Taken,
    /// Taken, and perhaps one too many: the machine has to judge.
    Due,
}

/// One line: written on transitions, by failures in a row, and where a success begins or ceases to matter.
///
/// Whoever holds the machine's lock writes all of it; the word is the last to change and the first to be
/// read, so nobody sees a figure that is older than the word.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(super) struct Fast {
    word: AtomicU64,
    slow_call: AtomicU64,
    turns_at: AtomicU64,
    refuses_from: AtomicU64,
    refuses_until: AtomicU64,
    /// Failures in the word with which one has to be told.
    threshold: AtomicU64,
    pub(super) last_error: LastError,
}

impl Fast {
    #[inline]
    pub(super) fn word(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    pub(super) fn is_slow(&self, took: Duration) -> bool {
        nanos(took) > self.slow_call.load(Relaxed)
    }

    /// Whether a bucket turned.
    pub(super) fn turns(&self, now: Tick) -> bool {
        now.nanos() >= self.turns_at.load(Relaxed)
    }

    /// How much longer it is open, if it is at `now`, and for more than `margin`.
    pub(super) fn refuses(&self, now: Tick, margin: Duration) -> Option<Duration> {
        let left = self.refuses_until.load(Relaxed).saturating_sub(now.nanos());
        let open = self.refuses_from.load(Relaxed) <= now.nanos() && left > nanos(margin);
        open.then(|| Duration::from_nanos(left))
    }

    /// Counts a call in the word, which was this a moment ago, unless it has to be told.
    #[inline]
    pub(super) fn count(&self, mut word: Word, ticket: Ticket, failed: bool) -> Count {
        loop {
            let told = failed && u64::from(word.count()) + 1 >= self.threshold.load(Relaxed);
            if told || !word.has(COUNTS) || !word.is_closed_since(ticket) {
                return Count::Refused;
            }
            let next = if failed { word.after_failure() } else { word.after_success() };
            match self.word.compare_exchange_weak(word.0, next.0, Acquire, Acquire) {
                // The word may be published anew, and look the same, with a threshold that is lower.
                Ok(_) if failed && u64::from(next.count()) >= self.threshold.load(Relaxed) => {
                    return Count::Due;
                }
                Ok(_) => return Count::Taken,
                Err(now) => word = Word(now),
            }
        }
    }

    /// Tells the machine of the failures in the word, for who will publish.
    #[inline]
    pub(super) fn claim(&self, machine: &mut Machine) {
        if self.word().has(COUNTS) {
            self.claim_failures(machine);
        }
    }

    /// Apart, so that a window of calls, whose failures all come to the lock, passes it at little cost.
    #[inline(never)]
    fn claim_failures(&self, machine: &mut Machine) {
        // Whoever would count in the word that is about to be replaced has to come to the lock.
        machine.absorb_failures(Word(self.word.fetch_or(TELL, Relaxed)).count());
    }

    /// Shows what became of the machine to who holds no lock.
    pub(super) fn publish(&self, machine: &Machine) {
        let mut flags = if machine.admits_all() { 0 } else { ASK };
        if let Some(slow_call) = machine.limits().slow_call {
            flags |= TIMED;
            update(&self.slow_call, nanos(slow_call), Relaxed);
        }
        if machine.refuses_for_long() {
            flags |= FORCED_OPEN;
        }
        if machine.is_disabled() {
            flags |= DISABLED;
        }
        if let Some((from, until)) = machine.refuses() {
            flags |= OPEN;
            update(&self.refuses_from, from.nanos(), Relaxed);
            update(&self.refuses_until, until.nanos(), Relaxed);
        }
        self.publish_word(machine, flags | TELL);
    }

    /// The same where no more changed than what is counted.
    pub(super) fn publish_counts(&self, machine: &Machine) {
        let word = self.word();
        if word.flags() != 0 || !machine.is_settled() {
            self.publish_word(machine, word.flags());
        }
    }

    fn publish_word(&self, machine: &Machine, before: u64) {
        let mut flags = before & !(TELL | TURNS | COUNTS);
        let leeway = machine.leeway().filter(|(failures, _)| *failures < MOST);
        if let Some((_, threshold)) = leeway {
            flags |= COUNTS;
            update(&self.threshold, threshold.min(MOST).into(), Relaxed);
        }
        let failures = leeway.map_or(0, |(failures, _)| failures);
        if (leeway.is_none() || machine.has_window()) && machine.success_matters(before & TELL != 0) {
            flags |= TELL;
        }
        if let Some(at) = machine.turns_at() {
            flags |= TURNS;
            update(&self.turns_at, at.nanos(), Relaxed);
        }
        update(&self.word, Word::new(machine.generation(), failures, flags).0, Release);
    }
}

/// Leaves the line alone when nothing changed, as most failures do. The lock is held.
fn update(cell: &AtomicU64, value: u64, order: Ordering) {
    if cell.load(Relaxed) != value {
        cell.store(value, order);
    }
}

#[cfg(all(test, not(resilient_loom)))]
mod tests {
    use std::sync::Arc;

    use super::super::limits::Limits;
    use super::*;

    #[test]
    fn a_run_that_is_too_long_for_the_word_goes_to_the_machine() {
        let limits = Limits { failure_threshold: Some(u32::MAX), ..Limits::DEFAULT };
        let mut machine = Machine::new(Arc::new(limits), Tick::ZERO);
        let (fast, ticket) = (Fast::default(), Ticket::through(Word::new(machine.generation(), 0, COUNTS)));
        let fail = || fast.count(fast.word(), ticket, true);
        machine.absorb_failures(MOST - 2);
        fast.publish(&machine);
        assert_eq!([fail(), fail()], [Count::Taken, Count::Refused]);
        machine.absorb_failures(MOST);
        fast.publish(&machine);
        assert!(fast.word().has(TELL));
        assert_eq!(fail(), Count::Refused);
        assert_eq!(fast.word().generation(), machine.generation());
    }
}
