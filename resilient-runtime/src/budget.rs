//! How many retries the calls of the last while have earned: pure, exact arithmetic.
//!
//! Every call earns a share of a retry, up to a limit, and some retries a second are free. When a dependency
//! is down, its callers send it a fifth more calls, by default, instead of many times more.

use std::time::Duration;

use resilient_settings::nanos;

use crate::clock::Tick;

/// Millionths of a token; a retry takes a whole one.
const TOKEN: u64 = 1_000_000;
const PARTS: f64 = 1e6;

/// The reserve is counted in time: it holds the last second, of which a retry takes its part.
const SECOND: Duration = Duration::from_secs(1);

/// What fills a budget.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Income {
    /// The most that calls can have earned.
    pub(crate) capacity: u32,
    /// Share of a retry that a call earns, above 0 and at most 1.
    pub(crate) credit: f64,
    /// Retries a second that are free.
    pub(crate) reserve: u32,
}

impl Income {
    pub(crate) const DEFAULT: Self = Self { capacity: 100, credit: 0.2, reserve: 10 };

    const fn capacity(&self) -> u64 {
        self.capacity as u64 * TOKEN
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a token")]
    fn per_call(&self) -> u64 {
        ((self.credit * PARTS).round() as u64).clamp(1, TOKEN)
    }

    /// What a retry takes of the reserve, if there is one.
    const fn per_retry(&self) -> Option<Duration> {
        match nanos(SECOND).checked_div(self.reserve as u64) {
            Some(0) => Some(Duration::from_nanos(1)),
            Some(nanos) => Some(Duration::from_nanos(nanos)),
            None => None,
        }
    }
}

/// A reserve that refills with time, and behind it a bucket that refills with calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    income: Income,
    bucket: u64,
    reserve: Duration,
    calls: u64,
    at: Tick,
}

impl Budget {
    pub(crate) const fn full(income: Income) -> Self {
        Self { income, bucket: income.capacity(), reserve: SECOND, calls: 0, at: Tick::ZERO }
    }

    /// Goes on with what is there under other terms.
    pub(crate) fn change(&mut self, income: Income, calls: u64, now: Tick) {
        self.credit(calls, now);
        self.income = income;
        self.bucket = self.bucket.min(income.capacity());
    }

    pub(crate) const fn income(&self) -> Income {
        self.income
    }

    /// Pays for one retry, if there is enough.
    ///
    /// `calls` is the number of all calls so far, the ones credited before included.
    pub(crate) fn take(&mut self, calls: u64, now: Tick) -> bool {
        self.credit(calls, now);
        let reserve = self.income.per_retry().and_then(|part| self.reserve.checked_sub(part));
        if let Some(rest) = reserve {
            self.reserve = rest;
        } else if let Some(rest) = self.bucket.checked_sub(TOKEN) {
            self.bucket = rest;
        } else {
            return false;
        }
        true
    }

    /// Retries that could be paid for now, in a row.
    pub(crate) fn left(mut self, calls: u64, now: Tick) -> u64 {
        self.credit(calls, now);
        let free = self.income.per_retry().map_or(0, |part| nanos(self.reserve) / nanos(part));
        self.bucket / TOKEN + free
    }

    fn credit(&mut self, calls: u64, now: Tick) {
        let fresh = calls.saturating_sub(self.calls);
        self.calls = self.calls.max(calls);
        let earned = fresh.saturating_mul(self.income.per_call());
        self.bucket = self.bucket.saturating_add(earned).min(self.income.capacity());
        // A clock that runs backwards earns nothing and counts from where it is.
        self.reserve = self.reserve.saturating_add(now.since(self.at)).min(SECOND);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prop::cases;

    const FULL: Budget = Budget::full(Income::DEFAULT);
    const START: Tick = Tick::from_nanos(1 << 62);

    fn drain(budget: &mut Budget, calls: u64, now: Tick) -> u64 {
        (0..1_000).take_while(|_| budget.take(calls, now)).count() as u64
    }

    #[test]
    fn a_fresh_budget_holds_a_hundred_and_the_reserve() {
        let mut budget = FULL;
        assert_eq!(budget.left(0, START), 110);
        assert_eq!(drain(&mut budget, 0, START), 110);
        assert_eq!(budget.left(0, START), 0);
    }

    #[test]
    fn five_calls_earn_one_retry() {
        let mut budget = FULL;
        drain(&mut budget, 0, START);
        assert!(!budget.take(4, START));
        assert!(budget.take(5, START));
        assert!(!budget.take(5, START));
        assert_eq!(drain(&mut budget, 505, START), 100);
    }

    #[test]
    fn calls_earn_no_more_than_the_bucket_holds() {
        let mut budget = FULL;
        assert_eq!(budget.left(u64::MAX, START), 110);
        drain(&mut budget, 0, START);
        assert_eq!(drain(&mut budget, u64::MAX, START), 100);
    }

    #[test]
    fn ten_retries_a_second_are_free() {
        let mut budget = FULL;
        drain(&mut budget, 0, START);
        assert!(!budget.take(0, START.plus(Duration::from_nanos(99_999_999))));
        assert!(budget.take(0, START.plus(Duration::from_millis(100))));
        assert!(!budget.take(0, START.plus(Duration::from_nanos(199_999_999))));
        assert!(budget.take(0, START.plus(Duration::from_millis(200))));
        assert_eq!(drain(&mut budget, 0, START.plus(Duration::from_secs(3_600))), 10);
    }

    #[test]
    fn the_reserve_is_used_before_what_calls_have_earned() {
        let mut budget = FULL;
        for _ in 0..10 {
            budget.take(0, START);
        }
        assert_eq!(budget.left(0, START.plus(SECOND)), 110);
    }

    #[test]
    fn a_clock_that_jumps_back_counts_from_there() {
        let mut budget = FULL;
        drain(&mut budget, 0, START);
        let earlier = Tick::from_nanos(1);
        assert!(!budget.take(0, earlier));
        assert!(budget.take(0, earlier.plus(Duration::from_millis(100))));
        assert!(!budget.take(0, Tick::ZERO));
    }

    #[test]
    fn a_total_that_is_read_late_is_not_counted_twice() {
        let mut budget = FULL;
        drain(&mut budget, 0, START);
        assert!(budget.take(10, START));
        assert!(budget.take(7, START));
        assert!(!budget.take(10, START));
    }

    #[test]
    fn an_income_is_what_it_says() {
        let income = Income { capacity: 3, credit: 0.5, reserve: 2 };
        let mut budget = Budget::full(income);
        assert_eq!(drain(&mut budget, 0, START), 5);
        assert!(!budget.take(1, START));
        assert!(budget.take(2, START));
        assert!(!budget.take(2, START.plus(Duration::from_millis(499))));
        assert!(budget.take(2, START.plus(Duration::from_millis(500))));
    }

    #[test]
    fn without_capacity_and_reserve_there_is_nothing() {
        let mut budget = Budget::full(Income { capacity: 0, credit: 1.0, reserve: 0 });
        assert_eq!(budget.left(1_000, START.plus(SECOND)), 0);
        assert!(!budget.take(1_000, START.plus(SECOND)));
    }

    #[test]
    fn the_largest_and_the_smallest_income_overflow_nothing() {
        let most = Income { capacity: u32::MAX, credit: 1.0, reserve: u32::MAX };
        let mut budget = Budget::full(most);
        assert_eq!(budget.left(u64::MAX, Tick::MAX), u64::from(u32::MAX) + 1_000_000_000);
        assert!(budget.take(u64::MAX, Tick::MAX));
        let mut budget = Budget::full(Income { capacity: 1, credit: f64::MIN_POSITIVE, reserve: 0 });
        assert!(budget.take(0, START));
        assert!(!budget.take(999_999, START));
        assert!(budget.take(1_000_000, START));
    }

    #[test]
    fn other_terms_keep_what_is_there() {
        let mut budget = FULL;
        budget.change(Income { capacity: 50, ..Income::DEFAULT }, 0, START);
        assert_eq!(budget.left(0, START), 60);
        budget.change(Income { capacity: 200, reserve: 0, ..Income::DEFAULT }, 0, START);
        assert_eq!(budget.left(0, START), 50);
        // Calls of before earn what they earned then.
        budget.change(Income { credit: 1.0, ..Income::DEFAULT }, 10, START);
        assert_eq!(budget.left(20, START), 50 + 2 + 10 + 10);
    }

    /// Credits call by call and nanosecond by nanosecond, in fractions of a common unit.
    struct Naive {
        capacity: u128,
        tenths: u128,
        per_second: u128,
        bucket: u128,
        reserve: u128,
    }

    /// A nanosecond of reserve at one retry a second.
    const UNITS: u128 = 1_000_000_000;

    impl Naive {
        fn called(&mut self) {
            self.bucket = (self.bucket + UNITS * self.tenths / 10).min(self.capacity * UNITS);
        }

        fn passed(&mut self, nanos: u64) {
            let full = self.per_second * UNITS;
            self.reserve = (self.reserve + self.per_second * u128::from(nanos)).min(full);
        }

        fn take(&mut self) -> bool {
            let from = if self.reserve >= UNITS { &mut self.reserve } else { &mut self.bucket };
            let paid = *from >= UNITS;
            *from -= if paid { UNITS } else { 0 };
            paid
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Call(u8),
        Pass(u64),
        Retry(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            any::<u8>().prop_map(Step::Call),
            (0..300_000_000_u64).prop_map(Step::Pass),
            any::<u8>().prop_map(Step::Retry),
        ];
        prop::collection::vec(step, 0..40)
    }

    proptest! {
        #![proptest_config(cases(20_000))]

        #[test]
        fn late_credit_equals_credit_as_it_comes(
            steps in steps(),
            (capacity, tenths) in (0..150_u32, 1..=10_u32),
            // What divides a second, so that a retry's part of it is whole.
            reserve in prop::sample::select(vec![0_u32, 1, 5, 10, 100]),
        ) {
            let mut budget = Budget::full(Income { capacity, credit: f64::from(tenths) / 10.0, reserve });
            let (capacity, tenths, per_second) = (capacity.into(), tenths.into(), reserve.into());
            let mut naive =
                Naive { capacity, tenths, per_second, bucket: capacity * UNITS, reserve: per_second * UNITS };
            let (mut calls, mut now) = (0, START);
            for step in steps {
                match step {
                    Step::Call(n) => {
                        calls += u64::from(n);
                        (0..n).for_each(|_| naive.called());
                    }
                    Step::Pass(nanos) => {
                        now = now.plus(Duration::from_nanos(nanos));
                        naive.passed(nanos);
                    }
                    Step::Retry(n) => {
                        for _ in 0..n {
                            prop_assert_eq!(budget.take(calls, now), naive.take());
                        }
                    }
                }
            }
        }
    }
}
