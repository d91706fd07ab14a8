//! The machine behind a lock, and a word that lets most calls pass without it.
//!
//! What decides knows neither: atomics, locks and time are here, in `locked.rs` and in `fast.rs`.

mod locked;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use self::locked::Slow;
use super::fast::{Count, Fast};
use super::history::{CircuitChange, History};
use super::last_error::LastError;
use super::limits::Limits;
use super::pass::Pass;
use super::state::Machine;
#[cfg(feature = "health")]
use super::state::heed::News;
use super::ticket::{Admission, Ticket};
use super::transition::{CircuitState, Control, Report};
use super::word::{ASK, COUNTS, DISABLED, FORCED_OPEN, OPEN, TIMED, TURNS, Word};
use super::{NAME, Verdict};
use crate::clock::{self, Tick};
use crate::error::Rejected;
use crate::events::EventKind;
use crate::outcome::Class;
use crate::registry;
use crate::sync::Mutex;
use crate::tally::{Since, Tally};

/// Successes of a closed breaker that nobody had to be told of yet.
const QUIET: usize = 0;
pub(super) const SUCCEEDED: usize = 1;
pub(super) const FAILED: usize = 2;
pub(super) const IGNORED: usize = 3;
pub(super) const ABANDONED: usize = 4;
pub(super) const PANICKED: usize = 5;
pub(super) const SLOW: usize = 6;
pub(super) const REJECTED: usize = 7;
pub(super) const WOULD_REJECT: usize = 8;

/// One breaker: the only one of its name, or that of one key.
#[derive(Debug)]
#[repr(C)]
pub struct Engine {
    fast: Fast,
    tally: Tally,
    pub(super) name: &'static str,
    pub(super) key: Option<Arc<str>>,
    slow: Mutex<Slow>,
}

impl Engine {
    pub(super) fn new(
        name: &'static str,
        key: Option<Arc<str>>,
        limits: Arc<Limits>,
        by_hand: Option<Control>,
    ) -> Self {
        let now = clock::tick();
        let mut machine = Machine::new(limits, now);
        if let Some(control) = by_hand {
            machine.control(control, now);
        }
        let slow = Slow {
            machine,
            absorbed: 0,
            last_error: None,
            history: History::new(now),
            outbox: VecDeque::new(),
            raising: false,
        };
        let engine = Self { fast: Fast::default(), tally: Tally::new(), name, key, slow: Mutex::new(slow) };
        engine.fast.publish(&engine.lock().machine);
        engine
    }

    /// Lets a call in, or says why not.
    pub(super) fn enter(&self) -> Result<Pass, Rejected> {
        match self.enter_at_once() {
            Some(ticket) => Ok(Pass::untimed(ticket)),
            None => self.ask(),
        }
    }

    /// Lets a call in if that needs no asking.
    #[inline]
    pub(super) fn enter_at_once(&self) -> Option<Ticket> {
        let word = self.fast.word();
        (!word.has(ASK | TIMED)).then(|| Ticket::through(word))
    }

    #[inline(never)]
    pub(super) fn ask(&self) -> Result<Pass, Rejected> {
        let word = self.fast.word();
        let held = || self.fast.refuses(clock::earlier(), clock::LAG).is_some();
        if word.has(FORCED_OPEN) && (!word.has(OPEN) || held()) {
            return Err(self.reject(None));
        }
        if word.has(DISABLED) {
            return Ok(Pass::NONE);
        }
        // A cheap reading will do as long as the end is far away.
        if word.has(OPEN)
            && let left @ Some(_) = self.fast.refuses(clock::earlier(), clock::LAG)
        {
            return Err(self.reject(left));
        }
        self.ask_at_length(word)
    }

    #[inline(never)]
    fn ask_at_length(&self, word: Word) -> Result<Pass, Rejected> {
        let now = clock::tick();
        if !word.has(ASK) {
            return Ok(Pass { ticket: Ticket::through(word), started: now });
        }
        if word.has(OPEN)
            && let left @ Some(_) = self.fast.refuses(now, Duration::ZERO)
        {
            return Err(self.reject(left));
        }
        self.ask_machine(now)
    }

    fn ask_machine(&self, now: Tick) -> Result<Pass, Rejected> {
        let mut slow = self.take();
        let (admission, transition) = slow.machine.admit(now);
        let only_observes = slow.machine.only_observes();
        self.done(slow, transition);
        match admission {
            Admission::Admitted(ticket) => Ok(Pass { ticket, started: now }),
            Admission::Refused { retry_after } if only_observes => {
                self.tally.add(WOULD_REJECT, 1);
                self.emit(|| EventKind::WouldReject { retry_after });
                Ok(Pass { ticket: Ticket::OBSERVED, started: now })
            }
            Admission::Refused { retry_after } => Err(self.reject(retry_after)),
        }
    }

    fn reject(&self, retry_after: Option<Duration>) -> Rejected {
        self.tally.add(REJECTED, 1);
        self.emit(|| EventKind::Rejected { retry_after });
        Rejected::CircuitOpen { name: self.name, retry_after }
    }

    /// Takes the result of an admitted call.
    #[inline]
    pub(super) fn leave(&self, pass: Pass, verdict: Verdict) {
        if !self.leave_at_once(pass.ticket, verdict) {
            self.tell(pass, verdict);
        }
    }

    /// Takes a success if that needs no telling.
    #[inline]
    pub(super) fn leave_at_once(&self, ticket: Ticket, verdict: Verdict) -> bool {
        let quiet = matches!(verdict, Verdict::Success) && self.fast.word() == ticket.clean_word();
        if quiet {
            self.tally.add(QUIET, 1);
        }
        quiet
    }

    #[inline(never)]
    pub(super) fn tell(&self, pass: Pass, verdict: Verdict) {
        let word = self.fast.word();
        if word.has(TURNS | TIMED) {
            self.tell_in_time(word, pass, verdict);
        } else if word.has(COUNTS) {
            self.tell_untimed(word, pass, verdict);
        } else {
            self.tell_at_length(pass, verdict);
        }
    }

    #[inline(never)]
    fn tell_in_time(&self, word: Word, pass: Pass, verdict: Verdict) {
        let slow = word.has(TIMED) && self.fast.is_slow(clock::tick().since(pass.started));
        if slow || word.has(TURNS) && self.turned() {
            self.tell_at_length(pass, verdict);
        } else if matches!(verdict, Verdict::Success) && word.is_closed_since(pass.ticket) {
            self.tally.add(QUIET, 1);
        } else {
            self.tell_untimed(word, pass, verdict);
        }
    }

    /// Whether a bucket turned.
    fn turned(&self) -> bool {
        self.fast.turns(clock::earlier().plus(clock::LAG)) && self.fast.turns(clock::tick())
    }

    /// Keeps an outcome from the machine if the word can count it.
    fn tell_untimed(&self, word: Word, pass: Pass, verdict: Verdict) {
        let code = match verdict {
            Verdict::Success | Verdict::Failure(None) => None,
            Verdict::Failure(Some(class)) => Some(LastError::code(class)),
            _ => Some(LastError::KEPT_ELSEWHERE),
        };
        if code == Some(LastError::KEPT_ELSEWHERE) {
            return self.tell_at_length(pass, verdict);
        }
        let failed = !matches!(verdict, Verdict::Success);
        let count = self.fast.count(word, pass.ticket, failed);
        if count == Count::Refused {
            return self.tell_at_length(pass, verdict);
        }
        if let Some(code) = code {
            self.fast.last_error.set(code);
        }
        self.tally.add(if failed { FAILED } else { QUIET }, 1);
        if count == Count::Due {
            self.judge();
        }
    }

    #[inline(never)]
    fn tell_at_length(&self, pass: Pass, verdict: Verdict) {
        if pass.ticket == Ticket::UNCOUNTED {
            return;
        }
        let word = self.fast.word();
        let now = word.has(TIMED | TURNS).then(clock::tick);
        let slow = word.has(TIMED) && now.is_some_and(|now| self.fast.is_slow(now.since(pass.started)));
        self.tally.add(verdict.counter(), 1);
        if slow {
            self.tally.add(SLOW, 1);
        }
        if pass.ticket != Ticket::OBSERVED {
            self.tell_machine(pass.ticket, verdict, slow, now);
        }
    }

    #[cold]
    fn judge(&self) {
        let now = clock::tick();
        let mut slow = self.take();
        slow.absorb(&self.tally);
        let transition = slow.machine.judge(now);
        self.done(slow, transition);
    }

    fn tell_machine(&self, ticket: Ticket, verdict: Verdict, slow_call: bool, now: Option<Tick>) {
        let mut slow = self.take();
        slow.absorb(&self.tally);
        if let Verdict::Failure(Some(class)) = verdict {
            slow.last_error = Some(class);
            self.fast.last_error.set(LastError::code(class));
        }
        let now = || now.unwrap_or_else(clock::tick);
        let transition = slow.machine.record(ticket, verdict.outcome(), slow_call, now);
        if transition.is_none() && slow.outbox.is_empty() {
            self.fast.publish_counts(&slow.machine);
        } else {
            self.done(slow, transition);
        }
    }

    pub(super) fn control(&self, control: Control) {
        let now = clock::tick();
        let mut slow = self.take();
        slow.absorb(&self.tally);
        let transition = slow.machine.control(control, now);
        if control == Control::Reset {
            slow.last_error = None;
            self.fast.last_error.set(LastError::KEPT_ELSEWHERE);
            self.tally.reset();
        }
        self.done(slow, transition);
    }

    /// Takes what its health check found out.
    #[cfg(feature = "health")]
    pub(super) fn heed(&self, news: News) {
        let now = clock::tick();
        let mut slow = self.take();
        slow.absorb(&self.tally);
        let transition = slow.machine.heed(news, now);
        self.done(slow, transition);
    }

    /// Whether a health check has ever had a say in it.
    #[cfg(feature = "health")]
    pub(super) fn heeds(&self) -> bool {
        self.lock().machine.heeds()
    }

    /// Goes by what `other` has heard of its health check.
    #[cfg(feature = "health")]
    pub(super) fn hear_from(&self, other: &Self) {
        let other = other.lock();
        let mut slow = self.lock();
        slow.machine.hear_from(&other.machine);
        self.fast.publish(&slow.machine);
    }

    pub(super) fn held_by(&self) -> Option<Control> {
        self.lock().machine.held_by()
    }

    /// Goes by other limits. What that changes is told by [`announce`](Self::announce), when the registry's
    /// locks are free.
    pub(super) fn reconfigure(&self, limits: Arc<Limits>) {
        let now = clock::tick();
        let mut slow = self.take();
        slow.absorb(&self.tally);
        let transition = slow.machine.reconfigure(limits, now);
        // What was counted before there was a window is not in it.
        slow.absorbed = self.tally.sum(QUIET);
        slow.note(transition);
        self.fast.publish(&slow.machine);
    }

    /// Raises what nobody has been told of yet.
    pub(super) fn announce(&self) {
        self.raise_from(self.lock());
    }

    pub(super) fn limits(&self) -> Arc<Limits> {
        Arc::clone(self.lock().machine.limits())
    }

    pub(super) fn is_clean(&self) -> bool {
        let now = clock::tick();
        self.look().machine.is_clean(now)
    }

    /// Whether a failing health check holds it open, though something done by hand may hide that.
    #[cfg(feature = "health")]
    pub(super) fn is_held_open(&self) -> bool {
        let now = clock::tick();
        self.lock().machine.is_held(now)
    }

    pub(super) fn report(&self) -> (Report, Option<Class>) {
        let now = clock::tick();
        let slow = self.look();
        (slow.machine.report(now), self.last_error(&slow))
    }

    pub(super) fn count(&self, count: Since, counter: usize) -> u64 {
        match counter {
            SUCCEEDED => count(&self.tally, QUIET).wrapping_add(count(&self.tally, SUCCEEDED)),
            counter => count(&self.tally, counter),
        }
    }

    /// Counts what `other` has counted.
    pub(super) fn inherit(&self, other: &Self) {
        for counter in SUCCEEDED..=WOULD_REJECT {
            let (total, sum) = (other.count(Tally::total, counter), other.count(Tally::sum, counter));
            self.tally.inherit(counter, total, sum);
        }
        let changes = other.changes();
        self.lock().history.inherit(&changes);
    }

    pub(super) fn changes(&self) -> Vec<CircuitChange> {
        self.lock().history.changes().to_vec()
    }

    /// Time in each state since the first day.
    pub(super) fn time_in(&self) -> [Duration; CircuitState::ALL.len()] {
        let now = clock::tick();
        let slow = self.look();
        slow.history.time_in(slow.machine.report(now).state, now)
    }

    #[inline]
    fn emit(&self, kind: impl Fn() -> EventKind) {
        registry::emit_for(NAME, self.name, self.key.as_ref(), kind);
    }
}

impl Verdict {
    const fn counter(self) -> usize {
        match self {
            Self::Success => SUCCEEDED,
            Self::Failure(_) => FAILED,
            Self::Ignored => IGNORED,
            Self::Abandoned => ABANDONED,
            Self::Panicked => PANICKED,
        }
    }
}

#[cfg(all(test, resilient_loom))]
#[path = "races.rs"]
mod races;

#[cfg(test)]
mod tests;
