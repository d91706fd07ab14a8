//! Recent outcomes: over a number of calls, or over a span of time.
//!
//! Both take successes in batches, because successes are counted elsewhere until a failure asks.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prop::cases;

    /// One record per call, looked through each time.
    struct Naive {
        shape: CircuitWindow,
        /// When the window began, or began anew after it had forgotten everything.
        begun: u64,
        calls: Vec<(u64, bool, bool)>,
    }

    impl Naive {
        fn sum(&self, now: u64) -> Sum {
            let kept: Vec<_> = match self.shape {
                CircuitWindow::Calls(calls) => self.calls.iter().rev().take(calls as usize).collect(),
                CircuitWindow::Time(span) => {
                    let bucket = |at: u64| at.checked_sub(self.begun).map(|age| age / (nanos(span) / 10));
                    let kept = |at| bucket(at).is_some_and(|it| Some(it + 10) > bucket(now));
                    self.calls.iter().filter(|call| kept(call.0)).collect()
                }
            };
            Sum {
                calls: kept.len() as u64,
                failures: kept.iter().filter(|call| call.1).count() as u64,
                slow: kept.iter().filter(|call| call.2).count() as u64,
            }
        }
    }

    /// Wait this long, then so many successes, then one call that went like this.
    type Step = (u64, u64, bool, bool);

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let wait = prop_oneof![4 => Just(0), 4 => 0..15_u64, 2 => 0..300_u64];
        let successes = prop_oneof![3 => Just(0), 3 => 0..5_u64, 1 => 0..300_u64];
        proptest::collection::vec((wait, successes, any::<bool>(), any::<bool>()), 0..12)
    }

    fn agrees(shape: CircuitWindow, steps: Vec<Step>) -> Result<(), TestCaseError> {
        let mut now = 12_345;
        let mut last = now;
        let mut naive = Naive { shape, begun: now, calls: Vec::new() };
        let mut window = Window::new(shape, Tick::from_nanos(now));
        for (wait, successes, failed, slow) in steps {
            now += wait;
            prop_assert_eq!(window.sum_at(Tick::from_nanos(now)), naive.sum(now));
            window.turn(Tick::from_nanos(now));
            if let CircuitWindow::Time(span) = shape
                && (now - naive.begun) / (nanos(span) / 10) >= (last - naive.begun) / (nanos(span) / 10) + 10
            {
                naive.begun = now;
            }
            last = now;
            window.succeed(successes);
            window.push(failed, slow);
            naive.calls.extend((0..successes).map(|_| (now, false, false)));
            naive.calls.push((now, failed, slow));
            prop_assert_eq!(window.sum(), naive.sum(now));
        }
        Ok(())
    }

    #[test]
    fn a_share_just_below_the_limit_does_not_reach_it() {
        assert_eq!([499, 500].map(|part| reaches(part, 1_000, 0.5)), [false, true]);
    }

    proptest! {
        #![proptest_config(cases(20_000))]

        #[test]
        fn the_room_for_failures_is_never_too_much_and_hardly_too_little(
            calls in prop_oneof![1..300_u64, 1..1_000_000_000_u64],
            failed in 0.0..1.0_f64,
            limit in prop_oneof![Just(f64::MIN_POSITIVE), Just(0.5), Just(1.0), 0.0..1.0_f64],
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a part of the calls")]
            let failures = (float(calls) * failed) as u64;
            let room = u64::from(room(Sum { calls, failures, slow: 0 }, limit));
            let reaches = |more: u64| share(failures + more, calls + more) >= limit;
            prop_assert!(room == 0 || !reaches(room), "{room}");
            prop_assert!(limit > 0.75 || reaches(room + room / 50 + 2), "{room}");
        }

        #[test]
        fn a_window_of_calls_equals_a_list(calls in 1..150_u32, steps in steps()) {
            agrees(CircuitWindow::Calls(calls), steps)?;
        }

        #[test]
        fn a_window_of_time_equals_a_list(width in 1..20_u64, steps in steps()) {
            agrees(CircuitWindow::Time(Duration::from_nanos(width * 10)), steps)?;
        }

        #[test]
        fn a_resized_window_keeps_the_newest(old in 1..150_u32, new in 1..150_u32, steps in steps()) {
            let mut window = Window::new(CircuitWindow::Calls(old), Tick::ZERO);
            let mut calls = Vec::new();
            for (_, successes, failed, slow) in steps {
                window.succeed(successes);
                window.push(failed, slow);
                calls.extend((0..successes).map(|_| (0, false, false)));
                calls.push((0, failed, slow));
            }
            window.reshape(CircuitWindow::Calls(new), Tick::ZERO);
            let naive = Naive { shape: CircuitWindow::Calls(old.min(new)), begun: 0, calls };
            prop_assert_eq!(window.sum(), naive.sum(0));
        }
    }

    #[test]
    fn failures_that_come_at_once_are_all_counted() {
        for shape in [CircuitWindow::Calls(8), CircuitWindow::Time(Duration::from_secs(1))] {
            let mut window = Window::new(shape, Tick::ZERO);
            window.fail(3);
            assert_eq!(window.sum(), Sum { calls: 3, failures: 3, slow: 0 });
        }
    }

    #[test]
    fn more_successes_than_there_are_numbers_for_fill_a_window_of_calls() {
        let mut window = Window::new(CircuitWindow::Calls(8), Tick::ZERO);
        window.push(true, true);
        window.succeed(u64::MAX);
        assert_eq!(window.sum(), Sum { calls: 8, failures: 0, slow: 0 });
    }

    #[test]
    fn a_window_that_keeps_its_shape_keeps_its_calls() {
        for shape in [CircuitWindow::Calls(8), CircuitWindow::Time(Duration::from_secs(1))] {
            let mut window = Window::new(shape, Tick::ZERO);
            window.push(true, false);
            window.reshape(shape, Tick::ZERO);
            assert_eq!(window.sum(), Sum { calls: 1, failures: 1, slow: 0 });
        }
    }

    #[test]
    fn another_shape_starts_afresh() {
        let mut window = Window::new(CircuitWindow::Calls(8), Tick::ZERO);
        window.push(true, false);
        window.reshape(CircuitWindow::Time(Duration::from_secs(1)), Tick::ZERO);
        assert_eq!(window.sum(), Sum::default());
    }

    #[test]
    fn the_first_call_counts_to_the_last_moment_of_the_window_whenever_it_began() {
        for begun in [0, 1, 7, 10, 12_349] {
            let tick = |after: u64| Tick::from_nanos(begun + after);
            let mut window = Window::new(CircuitWindow::Time(Duration::from_nanos(100)), tick(0));
            window.push(true, false);
            assert_eq!([99, 100].map(|after| window.sum_at(tick(after)).failures), [1, 0], "{begun}");
            assert_eq!(window.turns_at(), Some(tick(10)));
            assert!(window.turn(tick(1_003)));
            window.push(true, false);
            assert_eq!([1_102, 1_103].map(|after| window.sum_at(tick(after)).failures), [1, 0], "{begun}");
        }
    }

    #[test]
    fn a_clock_a_little_behind_counts_in_the_current_bucket() {
        let mut window = Window::new(CircuitWindow::Time(Duration::from_nanos(100)), Tick::from_nanos(1_000));
        window.push(true, false);
        assert!(!window.turn(Tick::from_nanos(950)));
        assert_eq!(window.sum().failures, 1);
    }

    #[test]
    fn another_clock_starts_afresh() {
        for now in [0, 900, u64::MAX] {
            let mut window =
                Window::new(CircuitWindow::Time(Duration::from_nanos(100)), Tick::from_nanos(1_000));
            window.push(true, false);
            assert_eq!(window.sum_at(Tick::from_nanos(now)), Sum::default());
            assert!(window.turn(Tick::from_nanos(now)));
            assert_eq!(window.sum(), Sum::default());
            window.push(true, false);
            assert_eq!(window.sum().failures, 1);
        }
    }

    #[test]
    fn no_shape_is_too_small() {
        for shape in [CircuitWindow::Calls(0), CircuitWindow::Time(Duration::ZERO)] {
            let mut window = Window::new(shape, Tick::MAX);
            window.succeed(u64::MAX);
            window.push(true, true);
            window.turn(Tick::ZERO);
            window.push(true, true);
            assert!(window.sum().failures > 0);
        }
    }
}
