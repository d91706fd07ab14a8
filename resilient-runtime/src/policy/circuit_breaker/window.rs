//! Recent outcomes: over a number of calls, or over a span of time.
//!
//! Both take successes in batches, because successes are counted elsewhere until a failure asks.

#[cfg(test)]
mod tests;

use std::time::Duration;

use resilient_settings::nanos;

use crate::clock::Tick;

/// Buckets of a time window, the current one included.
const BUCKETS: usize = 10;

/// How far back a circuit breaker looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a window ends by count or by time")]
pub enum CircuitWindow {
    /// Over the last so many calls.
    Calls(u32),
    /// Over the time just past, in steps of a tenth.
    ///
    /// A call counts for nine tenths of it at least, and the first one for all of it.
    Time(Duration),
}

impl From<u32> for CircuitWindow {
    fn from(calls: u32) -> Self {
        Self::Calls(calls)
    }
}

impl From<Duration> for CircuitWindow {
    fn from(time: Duration) -> Self {
        Self::Time(time)
    }
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sum {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.failures = self.failures.saturating_add(other.failures);
        self.slow = self.slow.saturating_add(other.slow);
    }

    fn remove(&mut self, other: Self) {
        self.calls = self.calls.saturating_sub(other.calls);
        self.failures = self.failures.saturating_sub(other.failures);
        self.slow = self.slow.saturating_sub(other.slow);
    }

    /// Whether anything but fast successes is in it.
    pub(super) const fn is_clean(self) -> bool {
        self.failures == 0 && self.slow == 0
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 calls, and a share is rounded anyway")]
const fn float(calls: u64) -> f64 {
    // With a sign, which no number of calls reaches, it is one instruction.
    calls.cast_signed() as f64
}

pub(super) fn share(part: u64, calls: u64) -> f64 {
    float(part) / float(calls)
}

/// Whether the share is `limit` or more.
pub(super) fn reaches(part: u64, calls: u64, limit: f64) -> bool {
    // A product is cheaper than a quotient, and most shares are too small for rounding to matter.
    float(part) >= 0.99 * limit * float(calls) && is_at_least(part, calls, limit)
}

/// Apart, or the compiler divides first.
#[cold]
fn is_at_least(part: u64, calls: u64, limit: f64) -> bool {
    share(part, calls) >= limit
}

/// How many more failures are sure not to reach the limit, however many calls succeed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "takes the nearest number")]
pub(super) fn room(sum: Sum, limit: f64) -> u32 {
    // So little less that rounding cannot matter.
    (0.99 * (limit * float(sum.calls) - float(sum.failures)) / (1.0 - limit)) as u32
}

#[derive(Debug)]
pub(super) enum Window {
    Calls(Ring),
    Time(Buckets),
}

impl Window {
    pub(super) fn new(shape: CircuitWindow, now: Tick) -> Self {
        match shape {
            CircuitWindow::Calls(calls) => Self::Calls(Ring::new(calls)),
            CircuitWindow::Time(span) => Self::Time(Buckets::new(span, now)),
        }
    }

    pub(super) const fn sum(&self) -> Sum {
        match self {
            Self::Calls(ring) => ring.sum,
            Self::Time(buckets) => buckets.sum,
        }
    }

    /// What it would hold at `now`.
    pub(super) fn sum_at(&self, now: Tick) -> Sum {
        match self {
            Self::Calls(ring) => ring.sum,
            Self::Time(buckets) => buckets.sum_at(now),
        }
    }

    /// Takes `count` fast successes.
    pub(super) fn succeed(&mut self, count: u64) {
        match self {
            Self::Calls(ring) => ring.succeed(count),
            Self::Time(buckets) => buckets.add(Sum { calls: count, ..Sum::default() }),
        }
    }

    /// Takes `count` fast failures.
    pub(super) fn fail(&mut self, count: u32) {
        match self {
            Self::Calls(ring) => (0..count).for_each(|_| ring.push(true, false)),
            Self::Time(buckets) => {
                let count = u64::from(count);
                buckets.add(Sum { calls: count, failures: count, slow: 0 });
            }
        }
    }

    /// Takes one call that failed, was slow, or both.
    pub(super) fn push(&mut self, failed: bool, slow: bool) {
        match self {
            Self::Calls(ring) => ring.push(failed, slow),
            Self::Time(buckets) => {
                buckets.add(Sum { calls: 1, failures: u64::from(failed), slow: u64::from(slow) });
            }
        }
    }

    /// Forgets what `now` has left behind; true if a bucket turned.
    pub(super) fn turn(&mut self, now: Tick) -> bool {
        match self {
            Self::Calls(_) => false,
            Self::Time(buckets) => buckets.turn(now),
        }
    }

    /// When the current bucket ends, if buckets there are.
    pub(super) fn turns_at(&self) -> Option<Tick> {
        match self {
            Self::Calls(_) => None,
            Self::Time(buckets) => Some(buckets.turns_at()),
        }
    }

    pub(super) fn clear(&mut self, now: Tick) {
        match self {
            Self::Calls(ring) => ring.clear(),
            Self::Time(buckets) => buckets.restart(now),
        }
    }

    /// Takes another shape; what a ring of calls has learned moves along.
    pub(super) fn reshape(&mut self, shape: CircuitWindow, now: Tick) {
        match (&mut *self, shape) {
            (Self::Calls(ring), CircuitWindow::Calls(calls)) if ring.capacity == calls.max(1) => {}
            (Self::Time(buckets), CircuitWindow::Time(span)) if buckets.width == width(span) => {}
            (Self::Calls(old), CircuitWindow::Calls(calls)) => *self = Self::Calls(old.resized(calls)),
            _ => *self = Self::new(shape, now),
        }
    }
}

/// The outcomes of the last calls, two bits each.
#[derive(Debug)]
pub(super) struct Ring {
    cells: Box<[Cell]>,
    capacity: u32,
    next: u32,
    sum: Sum,
}

/// Sixty-four outcomes.
#[derive(Clone, Copy, Debug, Default)]
struct Cell {
    failed: u64,
    slow: u64,
}

impl Ring {
    fn new(capacity: u32) -> Self {
        let capacity = capacity.max(1);
        let cells = vec![Cell::default(); capacity.div_ceil(u64::BITS) as usize].into_boxed_slice();
        Self { cells, capacity, next: 0, sum: Sum::default() }
    }

    pub(super) const fn sum(&self) -> Sum {
        self.sum
    }

    fn push(&mut self, failed: bool, slow: bool) {
        let bit = self.next % u64::BITS;
        let cell = &mut self.cells[(self.next / u64::BITS) as usize];
        let (failed, slow) = (u64::from(failed), u64::from(slow));
        self.sum.failures += failed;
        self.sum.failures -= cell.failed >> bit & 1;
        self.sum.slow += slow;
        self.sum.slow -= cell.slow >> bit & 1;
        let others = !(1 << bit);
        *cell = Cell { failed: cell.failed & others | failed << bit, slow: cell.slow & others | slow << bit };
        self.advance(1);
    }

    fn succeed(&mut self, count: u64) {
        let mut left = u32::try_from(count).unwrap_or(u32::MAX).min(self.capacity);
        while left > 0 {
            left -= self.overwrite(left);
        }
    }

    /// Writes successes up to the end of a cell and says how many fitted.
    fn overwrite(&mut self, at_most: u32) -> u32 {
        let bit = self.next % u64::BITS;
        let run = at_most.min(u64::BITS - bit).min(self.capacity - self.next);
        let mask = (u64::MAX >> (u64::BITS - run)) << bit;
        let cell = &mut self.cells[(self.next / u64::BITS) as usize];
        if (cell.failed | cell.slow) & mask != 0 {
            self.sum.failures -= u64::from((cell.failed & mask).count_ones());
            self.sum.slow -= u64::from((cell.slow & mask).count_ones());
            cell.failed &= !mask;
            cell.slow &= !mask;
        }
        self.advance(run);
        run
    }

    fn advance(&mut self, run: u32) {
        self.next += run;
        if self.next == self.capacity {
            self.next = 0;
        }
        self.sum.calls = (self.sum.calls + u64::from(run)).min(u64::from(self.capacity));
    }

    fn clear(&mut self) {
        self.cells.fill(Cell::default());
        self.next = 0;
        self.sum = Sum::default();
    }

    fn resized(&self, capacity: u32) -> Self {
        let mut ring = Self::new(capacity);
        let held = u32::try_from(self.sum.calls).unwrap_or(self.capacity);
        for age in (1..=held).rev() {
            let place = (self.next + self.capacity - age) % self.capacity;
            let cell = self.cells[(place / u64::BITS) as usize];
            let bit = 1 << (place % u64::BITS);
            ring.push(cell.failed & bit != 0, cell.slow & bit != 0);
        }
        ring
    }
}

/// Sums per tenth of a span of time.
#[derive(Debug)]
pub(super) struct Buckets {
    ring: Box<[Sum; BUCKETS]>,
    /// Nanoseconds.
    width: u64,
    /// When the current bucket began. The first one begins with the window, so that a call is forgotten after the
    /// same time wherever the clock stands.
    since: u64,
    sum: Sum,
}

const fn width(span: Duration) -> u64 {
    let width = nanos(span) / BUCKETS as u64;
    if width == 0 { 1 } else { width }
}

#[expect(clippy::cast_possible_truncation, reason = "the remainder is below ten")]
const fn place(number: u64) -> usize {
    (number % BUCKETS as u64) as usize
}

impl Buckets {
    fn new(span: Duration, now: Tick) -> Self {
        Self { ring: Box::default(), width: width(span), since: now.nanos(), sum: Sum::default() }
    }

    /// Number of the current bucket.
    const fn head(&self) -> u64 {
        self.since / self.width
    }

    /// Number of the bucket of `now`.
    const fn number(&self, now: Tick) -> u64 {
        now.nanos().saturating_sub(self.since % self.width) / self.width
    }

    fn bucket(&mut self, number: u64) -> &mut Sum {
        &mut self.ring[place(number)]
    }

    fn add(&mut self, sum: Sum) {
        self.bucket(self.head()).add(sum);
        self.sum.add(sum);
    }

    fn turn(&mut self, now: Tick) -> bool {
        let (head, number) = (self.head(), self.number(now));
        // A reading a little behind is a thread that was overtaken: it counts in the current bucket.
        // A whole window behind is another clock.
        if number.abs_diff(head) >= BUCKETS as u64 {
            self.restart(now);
            return true;
        }
        if number <= head {
            return false;
        }
        for left in head + 1..=number {
            let left = std::mem::take(self.bucket(left));
            self.sum.remove(left);
        }
        self.since += (number - head) * self.width;
        true
    }

    fn sum_at(&self, now: Tick) -> Sum {
        let (head, number) = (self.head(), self.number(now));
        let mut sum = self.sum;
        if number.abs_diff(head) >= BUCKETS as u64 {
            return Sum::default();
        }
        for left in head + 1..=number {
            sum.remove(self.ring[place(left)]);
        }
        sum
    }

    fn turns_at(&self) -> Tick {
        Tick::from_nanos(self.since.saturating_add(self.width))
    }

    fn restart(&mut self, now: Tick) {
        *self.ring = Default::default();
        self.since = now.nanos();
        self.sum = Sum::default();
    }
}
