//! The arithmetic against whole numbers without a bound, and against another implementation.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::FakeRelativeClock;
use governor::{Quota, RateLimiter};
use proptest::prelude::*;
use resilient_settings::Rate;

use super::{EXACT, MARK_BITS, POINT, SPAN, Scale};
use crate::clock::Tick;
use crate::prop::cases;

const YEAR: u64 = 365 * 24 * 3_600 * 1_000_000_000;
const BEGIN: u64 = 1 << 60;

/// A limit and the time, as its policy moves them.
struct Limit {
    rate: Rate,
    burst: u32,
    scale: Scale,
    mark: u64,
    now: u64,
}

impl Limit {
    fn new(rate: Rate, burst: u32) -> Self {
        Self { rate, burst, scale: Scale::new(rate, burst, Tick::from_nanos(BEGIN)), mark: 0, now: BEGIN }
    }

    fn take(&mut self, permits: u32) -> bool {
        let now = Tick::from_nanos(self.now);
        if self.scale.moment(now).is_none() {
            let debt = self.scale.debt(self.mark, now);
            self.scale = Scale::new(self.rate, self.burst, now);
            self.mark = self.scale.owing(debt, now);
        }
        let moment = self.scale.moment(now).expect("a line begins before now");
        let taken = self.scale.cost(permits).and_then(|cost| self.scale.take(self.mark, moment, cost));
        self.mark = taken.unwrap_or(self.mark);
        assert!(self.mark < 1 << MARK_BITS);
        taken.is_some()
    }

    /// When so many permits are there.
    fn due(&self, permits: u32) -> Option<u64> {
        Some(self.scale.due(self.mark + self.scale.cost(permits)?).nanos())
    }
}

/// The same without rounding: times in parts of a nanosecond of which a permit takes a whole number.
struct Naive {
    permits: u128,
    period: u128,
    burst: u128,
    mark: u128,
}

impl Naive {
    fn new(rate: Rate, burst: u32) -> Self {
        let (permits, period) = rate.reduced();
        Self { permits: permits.into(), period: period.into(), burst: burst.into(), mark: 0 }
    }

    fn take(&mut self, now: u64, permits: u32) -> bool {
        let now = u128::from(now) * self.permits;
        let next = self.mark.max(now) + u128::from(permits) * self.period;
        let fits = next <= now + self.burst * self.period;
        if fits {
            self.mark = next;
        }
        fits
    }
}

fn rates() -> impl Strategy<Value = Rate> {
    let periods = prop_oneof![
        Just(Duration::from_secs(1)),
        Just(Duration::from_secs(60)),
        Just(Duration::from_nanos(YEAR)),
        (1..YEAR).prop_map(Duration::from_nanos),
        (1..10_000_u64).prop_map(Duration::from_nanos),
    ];
    let permits = prop_oneof![1..10_u32, 1..1_000_000_u32, Just(2_000_000_000), any::<u32>()];
    (permits, periods).prop_map(|(permits, period)| Rate::new(permits, period))
}

/// Steps of time near the distance of two permits, of none, and of many; with how many are wanted then.
fn steps() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let wait = prop_oneof![Just(0), 0..2_000_u64, 0..100_000_u64, Just(1_000), Just(1_000_000)];
    prop::collection::vec((wait, prop_oneof![4 => Just(1_u32), 1 => 0..6_u32]), 1..60)
}

/// A thousandth of the distance of two permits, but for a rest.
fn scaled(rate: Rate, step: u64) -> u64 {
    let (permits, period) = rate.reduced();
    let time = u128::from(step) * u128::from(period) / (1_000 * u128::from(permits));
    u64::try_from(time).unwrap_or(u64::MAX).min(YEAR)
}

proptest! {
    #![proptest_config(cases(20_000))]

    #[test]
    fn no_window_gets_more_than_the_burst_and_the_rate(
        rate in rates(), burst in prop_oneof![1..20_u32, any::<u32>()], steps in steps()
    ) {
        let (mut limit, naive) = (Limit::new(rate, burst.max(1)), Naive::new(rate, burst.max(1)));
        let mut taken: Vec<(u64, u128)> = Vec::new();
        for (step, permits) in steps {
            limit.now += scaled(rate, step);
            if limit.take(permits) {
                taken.push((limit.now, permits.into()));
            }
        }
        for first in 0..taken.len() {
            let mut sum = 0;
            for (at, permits) in &taken[first..] {
                sum += permits;
                let passed = u128::from(at - taken[first].0) * naive.permits;
                prop_assert!(sum * naive.period <= naive.burst * naive.period + passed);
            }
        }
    }

    #[test]
    fn permits_are_there_when_it_says_and_not_before(
        rate in rates(), burst in 1..20_u32, steps in steps(), wanted in 1..20_u32
    ) {
        let mut limit = Limit::new(rate, burst);
        for (step, permits) in steps {
            limit.now += scaled(rate, step);
            limit.take(permits);
        }
        let Some(due) = limit.due(wanted) else {
            prop_assert!(wanted > burst && !limit.take(wanted));
            return Ok(());
        };
        // A line that begins anew in between rounds once more.
        prop_assume!(limit.scale.moment(Tick::from_nanos(due)).is_some());
        if due > limit.now {
            limit.now = due - 1;
            prop_assert!(!limit.take(wanted));
            limit.now = due;
        }
        prop_assert!(limit.take(wanted));
    }

    #[test]
    fn a_rate_of_few_permits_is_exact_to_the_nanosecond(
        permits in prop_oneof![1..10_u32, 1..1_024_u32], period in 1..10_000_000_000_u64, burst in 1..20_u32, steps in steps()
    ) {
        let rate = Rate::new(permits, Duration::from_nanos(period));
        prop_assume!(rate.fault().is_none());
        let (mut limit, mut naive) = (Limit::new(rate, burst), Naive::new(rate, burst));
        for (step, permits) in steps {
            limit.now += scaled(rate, step);
            prop_assert_eq!(limit.take(permits), naive.take(limit.now, permits));
        }
    }

    #[test]
    fn another_implementation_decides_the_same(
        period in 1..10_000_000_000_u64, burst in 1..20_u32, steps in steps()
    ) {
        let rate = Rate::new(1, Duration::from_nanos(period));
        let clock = FakeRelativeClock::default();
        let quota = Quota::with_period(rate.period()).expect("not zero");
        let quota = quota.allow_burst(NonZeroU32::new(burst).expect("at least one"));
        let (mut limit, other) = (Limit::new(rate, burst), RateLimiter::direct_with_clock(quota, clock.clone()));
        for (step, permits) in steps {
            let Some(wanted) = NonZeroU32::new(permits) else { continue };
            let step = scaled(rate, step);
            limit.now += step;
            clock.advance(Duration::from_nanos(step));
            prop_assert_eq!(limit.take(permits), matches!(other.check_n(wanted), Ok(Ok(()))));
        }
    }

    #[test]
    fn other_settings_give_nobody_a_larger_share_of_the_burst(
        (before, after) in (rates(), rates()), (few, many) in (1..1_000_u32, any::<u32>()), steps in steps()
    ) {
        let mut limit = Limit::new(before, few);
        for (step, permits) in steps {
            limit.now += scaled(before, step);
            limit.take(permits);
        }
        let now = Tick::from_nanos(limit.now);
        let debt = limit.scale.debt(limit.mark, now);
        let new = Scale::new(after, many, now);
        let owed = new.converted(debt, &limit.scale);
        prop_assert!(owed <= new.burst);
        let (share, before) = (u128::from(owed) * u128::from(limit.scale.burst), u128::from(debt) * u128::from(new.burst));
        prop_assert!(share >= before);
        prop_assert!(share - before < u128::from(limit.scale.burst));
    }
}

#[test]
fn no_rate_drifts() {
    for rate in [
        Rate::per_second(3),
        Rate::per_second(999),
        Rate::per_minute(7),
        Rate::per_second(999_983),
        Rate::new(999_983, Duration::from_secs(24 * 3_600)),
        Rate::new(1, Duration::from_nanos(YEAR)),
        Rate::per_second(2_000_000_000),
        Rate::per_second(u32::MAX),
    ] {
        let (permits, period) = rate.reduced();
        let scale = Scale::new(rate, 1, Tick::from_nanos(BEGIN));
        // Where the line ends, a permit for each of the rate has become due, but for what one unit is worth.
        let now = Tick::from_nanos(scale.origin + scale.length - 1);
        let ideal = u128::from(scale.length - 1) * u128::from(permits) * u128::from(scale.permit)
            / u128::from(period);
        let moment = scale.moment(now).expect("not the end yet");
        let short = ideal - u128::from(moment.units());
        assert!(short <= 1, "{rate}: {short} units of {} a permit in {} ns", scale.permit, scale.length);
    }
}

#[test]
fn every_rate_and_burst_fits() {
    for rate in [
        Rate::new(1, Duration::from_nanos(YEAR)),
        Rate::per_second(u32::MAX),
        Rate::new(4, Duration::from_nanos(1)),
    ] {
        for burst in [1, 1_000, u32::MAX] {
            let scale = Scale::new(rate, burst, Tick::from_nanos(BEGIN));
            assert!(scale.permit > 0 && scale.pace > 0, "{rate}");
            assert!(scale.burst <= SPAN && scale.length > YEAR / 2, "{rate}, {burst}: {scale:?}");
            assert!(u128::from(scale.pace >> POINT) <= EXACT);
        }
    }
}
