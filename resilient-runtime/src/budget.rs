//! How many retries the calls of the last while have earned: pure, exact arithmetic.
//!
//! Every call earns a fifth of a retry, up to a hundred, and ten retries a second are free.
//! When a dependency is down, its callers send it a fifth more calls instead of many times more.

use std::time::Duration;

use crate::clock::{Tick, nanos};

/// Thousandths of a token; a retry takes a whole one.
const TOKEN: u64 = 1_000;
const CAPACITY: u64 = 100 * TOKEN;
const CREDIT_PER_CALL: u64 = TOKEN / 5;

/// The reserve is counted in time: it holds the last second, and a retry takes a tenth of it.
const RESERVE: Duration = Duration::from_secs(1);
const RESERVE_PER_RETRY: Duration = Duration::from_millis(100);

/// A reserve that refills with time, and behind it a bucket that refills with calls.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    bucket: u64,
    reserve: Duration,
    calls: u64,
    at: Tick,
}

impl Budget {
    pub(crate) const FULL: Self = Self { bucket: CAPACITY, reserve: RESERVE, calls: 0, at: Tick::ZERO };

    /// Pays for one retry, if there is enough.
    ///
    /// `calls` is the number of all calls so far, the ones credited before included.
    pub(crate) fn take(&mut self, calls: u64, now: Tick) -> bool {
        self.credit(calls, now);
        if let Some(rest) = self.reserve.checked_sub(RESERVE_PER_RETRY) {
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
        self.bucket / TOKEN + nanos(self.reserve) / nanos(RESERVE_PER_RETRY)
    }

    fn credit(&mut self, calls: u64, now: Tick) {
        let fresh = calls.saturating_sub(self.calls);
        self.calls = self.calls.max(calls);
        self.bucket = self.bucket.saturating_add(fresh.saturating_mul(CREDIT_PER_CALL)).min(CAPACITY);
        // A clock that runs backwards earns nothing and counts from where it is.
        self.reserve = self.reserve.saturating_add(now.since(self.at)).min(RESERVE);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prop::cases;

    const START: Tick = Tick::from_nanos(1 << 62);

    fn drain(budget: &mut Budget, calls: u64, now: Tick) -> u64 {
        (0..1_000).take_while(|_| budget.take(calls, now)).count() as u64
    }

    #[test]
    fn a_fresh_budget_holds_a_hundred_and_the_reserve() {
        let mut budget = Budget::FULL;
        assert_eq!(budget.left(0, START), 110);
        assert_eq!(drain(&mut budget, 0, START), 110);
        assert_eq!(budget.left(0, START), 0);
    }

    #[test]
    fn five_calls_earn_one_retry() {
        let mut budget = Budget::FULL;
        drain(&mut budget, 0, START);
        assert!(!budget.take(4, START));
        assert!(budget.take(5, START));
        assert!(!budget.take(5, START));
        assert_eq!(drain(&mut budget, 505, START), 100);
    }

    #[test]
    fn calls_earn_no_more_than_the_bucket_holds() {
        let mut budget = Budget::FULL;
        assert_eq!(budget.left(u64::MAX, START), 110);
        drain(&mut budget, 0, START);
        assert_eq!(drain(&mut budget, u64::MAX, START), 100);
    }

    #[test]
    fn ten_retries_a_second_are_free() {
        let mut budget = Budget::FULL;
        drain(&mut budget, 0, START);
        assert!(!budget.take(0, START.plus(Duration::from_nanos(99_999_999))));
        assert!(budget.take(0, START.plus(Duration::from_millis(100))));
        assert!(!budget.take(0, START.plus(Duration::from_nanos(199_999_999))));
        assert!(budget.take(0, START.plus(Duration::from_millis(200))));
        assert_eq!(drain(&mut budget, 0, START.plus(Duration::from_secs(3_600))), 10);
    }

    #[test]
    fn the_reserve_is_used_before_what_calls_have_earned() {
        let mut budget = Budget::FULL;
        for _ in 0..10 {
            budget.take(0, START);
        }
        assert_eq!(budget.left(0, START.plus(RESERVE)), 110);
    }

    #[test]
    fn a_clock_that_jumps_back_counts_from_there() {
        let mut budget = Budget::FULL;
        drain(&mut budget, 0, START);
        let earlier = Tick::from_nanos(1);
        assert!(!budget.take(0, earlier));
        assert!(budget.take(0, earlier.plus(Duration::from_millis(100))));
        assert!(!budget.take(0, Tick::ZERO));
    }

    #[test]
    fn a_total_that_is_read_late_is_not_counted_twice() {
        let mut budget = Budget::FULL;
        drain(&mut budget, 0, START);
        assert!(budget.take(10, START));
        assert!(budget.take(7, START));
        assert!(!budget.take(10, START));
    }

    /// Credits call by call and nanosecond by nanosecond, in fractions of a common unit.
    struct Naive {
        bucket: u128,
        reserve: u128,
    }

    /// A nanosecond of reserve is a hundred-millionth of a token.
    const UNITS: u128 = 100_000_000;

    impl Naive {
        fn called(&mut self) {
            self.bucket = (self.bucket + UNITS / 5).min(100 * UNITS);
        }

        fn passed(&mut self, nanos: u64) {
            self.reserve = (self.reserve + u128::from(nanos)).min(10 * UNITS);
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
        fn late_credit_equals_credit_as_it_comes(steps in steps()) {
            let mut budget = Budget::FULL;
            let mut naive = Naive { bucket: 100 * UNITS, reserve: 10 * UNITS };
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
