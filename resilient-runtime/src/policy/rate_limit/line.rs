//! Waiting in line, and what moves the whole line: other settings, another clock.

use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};
use std::task::Waker;
use std::time::Duration;

use super::limiter::{CHANGING, Limiter, ONLY, QUEUED, Terms, Waiting, changed, mark, moved};
use super::queue::Queue;
use crate::clock::{self, Tick};
use crate::gcra::Scale;
use crate::sync::AtomicU64;

/// What a call gets that may wait.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Its permits.
    Entered,
    /// A ticket, for the line at this mark.
    Waits { of: u64, ticket: u64 },
    /// Nothing: its permits would be there after this time, if ever.
    Refused(Option<Duration>),
}

/// What a ticket is good for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Its permits: the call has left the line.
    Now { waited: Duration },
    /// The next question, at this time.
    At(Tick),
    /// Nothing any more: a burst has fewer permits by now.
    Never,
}

/// A mark and its line, which nobody else moves: the word says that somebody waits, and the lock is held.
struct Held<'a> {
    of: u64,
    word: &'a AtomicU64,
    mark: u64,
    scale: Scale,
    /// The one on which marks may lie ahead.
    furthest: Scale,
    now: Tick,
    queue: &'a mut Queue,
    /// Nobody needs a permit.
    off: bool,
    /// Nobody has to wait for one.
    observed: bool,
}

/// Nothing, where the line has to begin anew before anybody can be told something.
impl Held<'_> {
    fn arrive(&mut self, permits: u32, waker: &mut Option<Waker>, patience: Duration) -> Option<Arrival> {
        if self.off {
            return Some(Arrival::Entered);
        }
        let Some(cost) = self.scale.cost(permits) else { return Some(Arrival::Refused(None)) };
        let planned = self.queue.plan(self.level()?, cost);
        let due = self.scale.due(planned.end);
        if self.take(cost, due)? {
            return Some(Arrival::Entered);
        }
        let wait = due.since(self.now);
        if patience.is_zero() || wait > patience {
            return Some(Arrival::Refused(Some(wait)));
        }
        let Some(waker) = waker.take() else {
            self.move_to(planned.end);
            return Some(Arrival::Entered);
        };
        let ticket = self.queue.join(planned, permits, waker, self.now);
        Some(Arrival::Waits { of: self.of, ticket })
    }

    fn turn(&mut self, ticket: u64, deadline: Tick, waker: &mut Waker, left: &mut Left) -> Option<Turn> {
        if self.off || self.observed {
            let waited = self.queue.waited(ticket, self.now);
            *left = self.cancel(ticket);
            return Some(Turn::Now { waited });
        }
        let Some((stretch, permits)) = self.queue.stretch(ticket, waker) else { return Some(Turn::Never) };
        let Some(cost) = self.scale.cost(permits) else {
            *left = self.cancel(ticket);
            return Some(Turn::Never);
        };
        let level = self.level()?;
        let due = self.scale.due(stretch.end);
        if due > self.now {
            return Some(Turn::At(due));
        }
        if let Some(until) = self.queue.yields(ticket, self.now, deadline) {
            return Some(Turn::At(until));
        }
        if self.take(cost, due)? {
            let waited = self.queue.waited(ticket, self.now);
            let gone = self.queue.serve(ticket);
            *left = self.left(gone);
            return Some(Turn::Now { waited });
        }
        // Whoever started late moved the mark further than was planned.
        self.queue.postpone(stretch, level + cost);
        Some(Turn::At(self.scale.due(level + cost)))
    }

    fn cancel(&mut self, ticket: u64) -> Left {
        let gone = self.queue.cancel(ticket);
        self.left(gone)
    }

    fn left(&mut self, gone: Option<Waker>) -> Left {
        if let Some(level) = self.level() {
            self.queue.move_up(level);
        }
        let there = self.scale.moment(self.now).map(|now| now.units() + self.scale.burst);
        Left { gone, next: there.and_then(|there| self.queue.next(there)) }
    }

    /// Whether permits are taken.
    fn take(&mut self, cost: u64, due: Tick) -> Option<bool> {
        let moment = self.scale.moment(self.now)?;
        if due > self.now {
            return Some(false);
        }
        let Some(next) = self.scale.take(self.mark, moment, cost) else { return Some(false) };
        self.move_to(next);
        Some(true)
    }

    fn move_to(&mut self, mark: u64) {
        self.word.store(moved(self.word.load(Relaxed), mark), Release);
        self.mark = mark;
    }

    /// The mark, or now if that is behind now.
    fn level(&self) -> Option<u64> {
        let moment = self.scale.moment(self.now)?;
        (!self.furthest.is_adrift(self.mark, moment)).then(|| self.mark.max(moment.units()))
    }
}

/// Who left the line, and who may be next, for when the lock is gone.
#[derive(Default)]
struct Left {
    gone: Option<Waker>,
    next: Option<Waker>,
}

impl Left {
    fn settle(self) {
        drop(self.gone);
        if let Some(next) = self.next {
            next.wake();
        }
    }
}

impl Limiter {
    /// Takes permits, or a ticket if the wait is within `patience`; without a waker the permits to come.
    pub(super) fn arrive(
        &self,
        of: u64,
        permits: u32,
        mut waker: Option<Waker>,
        patience: Duration,
    ) -> Arrival {
        self.hold(of, |held| held.arrive(permits, &mut waker, patience))
    }

    /// Asks for the turn of a ticket; the waker learns when it comes sooner than was said.
    pub(super) fn turn(&self, of: u64, ticket: u64, waker: &Waker, deadline: Tick) -> Turn {
        // A waker is somebody else's code: none is copied, woken or dropped under the lock.
        let (mut waker, mut left) = (waker.clone(), Left::default());
        let turn = self.hold(of, |held| held.turn(ticket, deadline, &mut waker, &mut left));
        left.settle();
        turn
    }

    /// Gives a ticket back.
    pub(super) fn cancel(&self, of: u64, ticket: u64) {
        self.hold(of, |held| Some(held.cancel(ticket))).settle();
    }

    /// Visits a mark and its line until there is something to tell.
    fn hold<T>(&self, of: u64, mut visit: impl FnMut(&mut Held<'_>) -> Option<T>) -> T {
        loop {
            let now = clock::tick();
            let mut waiting = self.lock();
            let visited =
                self.with(of, now, |of, word| self.hold_word(&mut waiting, (of, word), now, &mut visit));
            drop(waiting);
            match visited {
                Some(visited) => return visited,
                None => self.begin_anew(),
            }
        }
    }

    fn hold_word<T>(
        &self,
        waiting: &mut Waiting,
        (of, word): (u64, &AtomicU64),
        now: Tick,
        visit: impl FnOnce(&mut Held<'_>) -> Option<T>,
    ) -> Option<T> {
        let mark = mark(word.fetch_or(QUEUED, AcqRel));
        let queue = waiting.queues.entry(of).or_default();
        let scale = self.scale();
        let mut held = Held {
            of,
            word,
            mark,
            scale,
            furthest: self.lending(scale),
            now,
            queue,
            off: self.is_off(),
            observed: self.observes(),
        };
        let visited = visit(&mut held);
        if held.queue.is_empty() {
            waiting.queues.remove(&of);
            word.fetch_and(!QUEUED, Release);
        }
        visited
    }

    /// Calls that wait.
    pub(super) fn waiting(&self) -> usize {
        self.lock().queues.values().map(Queue::len).sum()
    }

    /// Takes over other settings. What was used up stays so, as a share of the burst.
    pub(super) fn reconfigure(&self, terms: Terms) {
        self.change(|now| *now = terms, |old, new, mark, now| new.converted(old.debt(mark, now), old));
    }

    /// Lets everybody have a whole burst again.
    pub(super) fn forget(&self) {
        self.change(|_| (), |_, _, _, _| 0);
    }

    /// Draws the line from now on, where it has come to its end, or the clock was set back.
    #[cold]
    pub(super) fn begin_anew(&self) {
        self.change(|_| (), |old, new, mark, now| new.converted(old.debt(mark, now), old));
    }

    fn change(&self, set: impl FnOnce(&mut Terms), debt: impl Fn(&Scale, &Scale, u64, Tick) -> u64) {
        let mut wakers = Vec::new();
        let mut waiting = self.lock();
        let keyed = self.keys().lock();
        let now = clock::tick();
        let old = self.scale();
        set(&mut waiting.terms);
        let terms = waiting.terms;
        self.keys().limit(terms.max_keys);
        let new = terms.scale(now);
        let words = || [(ONLY, &self.word.0)].into_iter().chain(keyed.words());
        for (_, word) in words() {
            word.fetch_or(CHANGING, AcqRel);
        }
        self.publish(&terms, &new);
        for (of, word) in words() {
            let before = word.load(Relaxed);
            let mark = new.owing(debt(&old, &new, mark(before), now), now);
            if let Some(queue) = waiting.queues.get_mut(&of) {
                let level = new.moment(now).map_or(mark, |now| mark.max(now.units()));
                wakers.extend(queue.renew(level, |permits| new.cost(permits)));
            }
            word.store(changed(before, mark), Release);
        }
        drop(keyed);
        drop(waiting);
        wakers.into_iter().for_each(Waker::wake);
    }
}
