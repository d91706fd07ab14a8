//! Who waits for permits: each has a stretch of the line for itself, and knows when its turn comes.

use std::collections::BTreeMap;
use std::mem;
use std::task::Waker;
use std::time::Duration;

use crate::clock::Tick;

/// Time in which whoever is woken is polled.
const PATIENCE: Duration = Duration::from_millis(2);
/// Holes that a call is tried in: all wait for the lock meanwhile.
const TRIED: usize = 64;
/// Furthest that a line moves up in all, so that no place in it overflows.
const FURTHEST: i64 = -(1 << 61);

/// The calls that wait at one limit.
///
/// A stretch that is given up goes to whoever comes next, as long as others wait before it. Then those behind
/// it move up, all at once; only the first needs to know, who leaves it to the next.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiters: BTreeMap<u64, Waiter>,
    /// Their tickets, by where their stretches end.
    order: BTreeMap<u64, u64>,
    last_ticket: u64,
    /// Where the last stretch ends.
    tail: u64,
    /// Stretches that were given up, from their beginning to their end.
    holes: BTreeMap<u64, u64>,
    /// By how much everything here is late: who could not start in time moves whoever waits behind. Less than
    /// nothing where more was given up.
    delay: i64,
}

#[derive(Debug)]
struct Waiter {
    stretch: Stretch,
    permits: u32,
    waker: Waker,
    since: Tick,
    /// The delay it knows of.
    told: i64,
    /// Until when it lets those before it go first, once its turn has come.
    yields: Option<Tick>,
}

/// A part of the line, whose length is the cost of the permits it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    start: u64,
    pub(super) end: u64,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.waiters.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.waiters.len()
    }

    /// The first stretch of this length that nobody has, at `mark` or behind it.
    pub(super) fn plan(&mut self, mark: u64, cost: u64) -> Stretch {
        let mark = self.place(mark);
        while self.holes.first_key_value().is_some_and(|(_, end)| *end <= mark) {
            self.holes.pop_first();
        }
        let hole = self.holes.iter().take(TRIED).map(|(start, end)| (mark.max(*start), *end));
        let start = hole.into_iter().find(|(start, end)| start + cost <= *end).map(|(start, _)| start);
        let start = start.unwrap_or_else(|| mark.max(self.tail));
        self.late(Stretch { start, end: start + cost })
    }

    /// Gives a planned stretch to a call; the waker learns when it moves ahead.
    pub(super) fn join(&mut self, planned: Stretch, permits: u32, waker: Waker, since: Tick) -> u64 {
        let stretch = Stretch { start: self.place(planned.start), end: self.place(planned.end) };
        let hole = self.holes.range(..=stretch.start).next_back().map(|(start, end)| (*start, *end));
        if let Some((start, end)) = hole.filter(|(_, end)| stretch.end <= *end) {
            // What was planned begins where the hole does, or where the mark is by now.
            self.holes.remove(&start);
            if stretch.end < end {
                self.holes.insert(stretch.end, end);
            }
        } else {
            self.tail = stretch.end;
        }
        self.last_ticket += 1;
        self.order.insert(stretch.end, self.last_ticket);
        let waiter = Waiter { stretch, permits, waker, since, told: self.delay, yields: None };
        self.waiters.insert(self.last_ticket, waiter);
        self.last_ticket
    }

    /// How long a ticket has been here.
    pub(super) fn waited(&self, ticket: u64, now: Tick) -> Duration {
        self.waiters.get(&ticket).map_or(Duration::ZERO, |waiter| now.since(waiter.since))
    }

    /// Where the stretch of a ticket lies by now. The waker before is the caller's to drop, under no lock.
    pub(super) fn stretch(&mut self, ticket: u64, waker: &mut Waker) -> Option<(Stretch, u32)> {
        let waiter = self.waiters.get_mut(&ticket)?;
        mem::swap(&mut waiter.waker, waker);
        waiter.told = self.delay;
        let (stretch, permits) = (waiter.stretch, waiter.permits);
        Some((self.late(stretch), permits))
    }

    /// Moves all stretches by what one of them is late that has to end at `end`.
    pub(super) fn postpone(&mut self, from: Stretch, end: u64) {
        let late = i64::try_from(end.saturating_sub(from.end)).unwrap_or(i64::MAX);
        self.delay = self.delay.saturating_add(late);
    }

    /// Moves all stretches by what lies free between `mark` and the first.
    pub(super) fn move_up(&mut self, mark: u64) {
        let first = self.order.first_key_value().and_then(|(_, first)| self.waiters.get(first));
        let Some(first) = first.map(|first| self.late(first.stretch).start) else { return };
        let free = i64::try_from(first.saturating_sub(mark)).unwrap_or(i64::MAX);
        self.delay = self.delay.saturating_sub(free).max(FURTHEST);
    }

    /// Until when a call whose turn has come lets another go first: timers of one moment fire in any order.
    ///
    /// No longer, for the other may be one that nobody polls, and not where that costs its own turn.
    pub(super) fn yields(&mut self, ticket: u64, now: Tick, deadline: Tick) -> Option<Tick> {
        if self.order.first_key_value().is_some_and(|(_, first)| *first == ticket) {
            return None;
        }
        let until = *self.waiters.get_mut(&ticket)?.yields.get_or_insert_with(|| now.plus(PATIENCE));
        (now < until && until < deadline && until.since(now) <= PATIENCE).then_some(until)
    }

    /// The waker of who is first, if that one's stretch ends at `end` or before, or sooner than it knows.
    pub(super) fn next(&mut self, end: u64) -> Option<Waker> {
        let (stretch, first) = self.order.first_key_value()?;
        let first = self.waiters.get_mut(first)?;
        if stretch.saturating_add_signed(self.delay) > end && first.told <= self.delay {
            return None;
        }
        // Whoever is woken leaves another.
        Some(mem::replace(&mut first.waker, Waker::noop().clone()))
    }

    /// Takes out a call that starts.
    pub(super) fn serve(&mut self, ticket: u64) -> Option<Waker> {
        let waiter = self.remove(ticket)?;
        self.forget_if_empty();
        Some(waiter.waker)
    }

    /// Takes out a call that gave up, whose stretch others may have.
    pub(super) fn cancel(&mut self, ticket: u64) -> Option<Waker> {
        let Waiter { stretch: Stretch { mut start, mut end }, waker, .. } = self.remove(ticket)?;
        if let Some((&before, _)) = self.holes.range(..start).next_back().filter(|(_, end)| **end == start) {
            start = before;
        }
        if let Some(behind) = self.holes.remove(&end) {
            end = behind;
        }
        self.holes.insert(start, end);
        while let Some(last) = self.holes.last_entry().filter(|last| *last.get() == self.tail) {
            self.tail = *last.key();
            last.remove();
        }
        self.forget_if_empty();
        Some(waker)
    }

    fn remove(&mut self, ticket: u64) -> Option<Waiter> {
        let waiter = self.waiters.remove(&ticket)?;
        self.order.remove(&waiter.stretch.end);
        Some(waiter)
    }

    /// Lays everybody out anew from `mark`, in the order of their turns; who is returned has to look again.
    ///
    /// Who waits for more than a burst by now learns it then.
    pub(super) fn renew(&mut self, mark: u64, cost: impl Fn(u32) -> Option<u64>) -> Vec<Waker> {
        (self.tail, self.delay) = (mark, 0);
        self.holes.clear();
        let mut wakers = Vec::with_capacity(self.waiters.len());
        for (_, ticket) in mem::take(&mut self.order) {
            let Some(waiter) = self.waiters.get_mut(&ticket) else { continue };
            let start = self.tail;
            // One that takes no room could not be told from the next.
            self.tail = start.saturating_add(cost(waiter.permits).unwrap_or(1));
            (waiter.stretch, waiter.told) = (Stretch { start, end: self.tail }, self.delay);
            self.order.insert(self.tail, ticket);
            // A waker is somebody else's code: none is copied under the lock.
            wakers.push(mem::replace(&mut waiter.waker, Waker::noop().clone()));
        }
        wakers
    }

    const fn late(&self, stretch: Stretch) -> Stretch {
        Stretch {
            start: stretch.start.saturating_add_signed(self.delay),
            end: stretch.end.saturating_add_signed(self.delay),
        }
    }

    /// What [`late`](Self::late) makes `mark` of.
    const fn place(&self, mark: u64) -> u64 {
        mark.saturating_add_signed(self.delay.saturating_neg())
    }

    fn forget_if_empty(&mut self) {
        if self.waiters.is_empty() {
            (self.tail, self.delay) = (0, 0);
            self.holes.clear();
        }
    }
}
