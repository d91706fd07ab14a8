//! How long to wait between attempts: pure arithmetic, randomness comes in as a number.
//!
//! No delay ever exceeds the cap, jitter included, at any attempt number.

use std::time::Duration;

use crate::nanos;

/// How the delay between attempts grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Backoff {
    /// Always `base`.
    Fixed,
    /// `base`, twice `base`, three times `base`, …
    Linear,
    /// `base`, then `factor` times the delay before.
    #[default]
    Exponential,
    /// `base` times 1, 2, 3, 5, 8, …
    Fibonacci,
}

impl Backoff {
    /// The word of each, in order.
    pub const WORDS: &[&str] = &["fixed", "linear", "exponential", "fibonacci"];

    /// The word that an attribute and a file take.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// What a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Fixed, Self::Linear, Self::Exponential, Self::Fibonacci]
            .into_iter()
            .find(|it| it.word() == word)
    }
}

/// How a delay is made random.
///
/// Callers that failed together do not return together then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Jitter {
    /// Every delay as computed.
    None,
    /// Anything from nothing to the whole delay.
    #[default]
    Full,
    /// Half of the delay, and anything up to the other half.
    Equal,
    /// From `base` to three times the delay before, whatever the backoff and the factor.
    ///
    /// The formula is that of the AWS Architecture Blog, "Exponential Backoff and Jitter".
    Decorrelated,
}

impl Jitter {
    /// The word of each, in order.
    pub const WORDS: &[&str] = &["none", "full", "equal", "decorrelated"];

    /// The word that an attribute and a file take.
    #[must_use]
    pub const fn word(self) -> &'static str {
        Self::WORDS[self as usize]
    }

    /// What a word stands for.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::None, Self::Full, Self::Equal, Self::Decorrelated].into_iter().find(|it| it.word() == word)
    }
}

/// Everything that decides a delay but for the attempt and the dice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// How it grows.
    pub backoff: Backoff,
    /// The first delay.
    pub base: Duration,
    /// What an exponential one grows by.
    pub factor: f64,
    /// The longest delay, jitter included.
    pub max_delay: Duration,
    /// How it is made random.
    pub jitter: Jitter,
}

/// The delay before, from which a decorrelated one grows.
///
/// Half a word, for a retried call has no room for more: nanoseconds to 26 bits, which lose less than a
/// hundred-millionth, and how far they were shifted.
#[derive(Clone, Copy, Debug)]
pub struct Previous(u32);

impl Previous {
    /// No delay yet.
    pub const NONE: Self = Self(0);
    const SHIFT: u32 = 6;

    #[expect(clippy::cast_possible_truncation, reason = "shifted until it fits")]
    const fn of(delay: Duration) -> Self {
        let nanos = nanos(delay);
        let shift = (u64::BITS - nanos.leading_zeros()).saturating_sub(u32::BITS - Self::SHIFT);
        Self(((nanos >> shift) as u32) << Self::SHIFT | shift)
    }

    const fn delay(self) -> Duration {
        let shift = self.0 & ((1 << Self::SHIFT) - 1);
        Duration::from_nanos(((self.0 >> Self::SHIFT) as u64) << shift)
    }
}

impl Schedule {
    /// Unless told otherwise.
    pub const DEFAULT: Self = Self {
        backoff: Backoff::Exponential,
        base: Duration::from_millis(100),
        factor: 2.0,
        max_delay: Duration::from_secs(10),
        jitter: Jitter::Full,
    };

    /// The wait before retry `n`, of which the first is 0.
    ///
    /// `unit` is random in `[0, 1)`.
    ///
    /// One `previous` belongs to one sequence of retries, from the first on.
    pub fn delay(&self, n: u32, unit: f64, previous: &mut Previous) -> Duration {
        let unit = if (0.0..=1.0).contains(&unit) { unit } else { 0.0 };
        match self.jitter {
            Jitter::None => self.nominal(n),
            Jitter::Full => self.share(self.nominal(n), unit),
            Jitter::Equal => {
                let nominal = self.nominal(n);
                let half = nominal / 2;
                nominal.saturating_sub(half).saturating_add(self.share(half, unit))
            }
            Jitter::Decorrelated => self.decorrelated(unit, previous),
        }
    }

    /// The wait before retry `n` without jitter.
    #[must_use]
    pub fn nominal(&self, n: u32) -> Duration {
        let times = match self.backoff {
            Backoff::Exponential if n > 0 && self.factor > 1.0 => {
                return self.scaled(self.base, power(self.factor, n));
            }
            // NaN is not above one.
            Backoff::Fixed | Backoff::Exponential => 1,
            Backoff::Linear => u128::from(n) + 1,
            Backoff::Fibonacci => fibonacci(n),
        };
        self.capped(self.base.as_nanos().saturating_mul(times))
    }

    fn decorrelated(&self, unit: f64, previous: &mut Previous) -> Duration {
        let before = previous.delay().max(self.base);
        let spread = before.saturating_mul(3).saturating_sub(self.base);
        let delay = self.base.saturating_add(self.share(spread, unit)).min(self.max_delay);
        *previous = Previous::of(delay);
        delay
    }

    fn share(&self, of: Duration, unit: f64) -> Duration {
        self.scaled(of, unit).min(of)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "fifty-three bits are as exact as a random delay has to be"
    )]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the cast saturates")]
    fn scaled(&self, duration: Duration, by: f64) -> Duration {
        if duration.is_zero() {
            return Duration::ZERO;
        }
        self.capped((duration.as_nanos() as f64 * by).round() as u128)
    }

    fn capped(&self, nanos: u128) -> Duration {
        if nanos >= self.max_delay.as_nanos() { self.max_delay } else { from_nanos(nanos) }
    }

    /// A lower bound of what `max` attempts wait in all, whatever the dice say.
    ///
    /// Settings that cannot fit into a time limit even so are impossible.
    #[must_use]
    pub fn least_total_wait(&self, max: u32) -> Duration {
        let retries = max.saturating_sub(1);
        match self.jitter {
            Jitter::None => self.least_nominal(retries),
            Jitter::Equal => self.least_nominal(retries) / 2,
            Jitter::Decorrelated => self.base.min(self.max_delay).saturating_mul(retries),
            Jitter::Full => Duration::ZERO,
        }
    }

    /// The sum of the first nominal delays; as delays never shrink but for rounding, the last one summed
    /// stands for all beyond.
    fn least_nominal(&self, retries: u32) -> Duration {
        const SUMMED: u32 = 128;
        let summed =
            (0..retries.min(SUMMED)).map(|n| self.nominal(n)).fold(Duration::ZERO, Duration::saturating_add);
        let beyond = retries.saturating_sub(SUMMED);
        summed.saturating_add(self.nominal(SUMMED).saturating_mul(beyond))
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the caller's number is less than a duration's")]
fn from_nanos(nanos: u128) -> Duration {
    const NANOS: u128 = 1_000_000_000;
    Duration::new((nanos / NANOS) as u64, (nanos % NANOS) as u32)
}

/// By products alone, for how exact `powi` is differs between platforms.
fn power(factor: f64, n: u32) -> f64 {
    (0..u32::BITS - n.leading_zeros()).rev().fold(1.0, |power, bit| {
        let squared = power * power;
        if (n >> bit) & 1 == 1 { squared * factor } else { squared }
    })
}

/// 1, 2, 3, 5, 8, …
fn fibonacci(n: u32) -> u128 {
    // Number 184 is the last that fits.
    let (mut one, mut two) = (1_u128, 2_u128);
    for _ in 0..n.min(184) {
        (one, two) = (two, one.saturating_add(two));
    }
    one
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// So many cases, unless `PROPTEST_CASES` says otherwise.
    fn cases(normal: u32) -> ProptestConfig {
        let config = ProptestConfig::default();
        if std::env::var_os("PROPTEST_CASES").is_some() {
            config
        } else {
            ProptestConfig { cases: normal, ..config }
        }
    }

    const SECOND: Duration = Duration::from_secs(1);

    fn schedule(backoff: Backoff, jitter: Jitter) -> Schedule {
        Schedule { backoff, base: SECOND, factor: 2.0, max_delay: Duration::MAX, jitter }
    }

    fn seconds(schedule: &Schedule, retries: u32, unit: f64) -> Vec<f64> {
        let mut previous = Previous::NONE;
        (0..retries).map(|n| schedule.delay(n, unit, &mut previous).as_secs_f64()).collect()
    }

    #[test]
    fn each_strategy_follows_its_formula() {
        let of = |backoff| seconds(&schedule(backoff, Jitter::None), 6, 0.7);
        assert_eq!(of(Backoff::Fixed), [1.0; 6]);
        assert_eq!(of(Backoff::Linear), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
        assert_eq!(of(Backoff::Exponential), [1.0, 2.0, 4.0, 8.0, 16.0, 32.0]);
        assert_eq!(of(Backoff::Fibonacci), [1.0, 2.0, 3.0, 5.0, 8.0, 13.0]);
    }

    #[test]
    fn the_factor_may_be_any_number_from_one_on() {
        let with = |factor| Schedule { factor, ..schedule(Backoff::Exponential, Jitter::None) };
        assert_eq!(seconds(&with(1.0), 3, 0.0), [1.0, 1.0, 1.0]);
        assert_eq!(seconds(&with(1.5), 3, 0.0), [1.0, 1.5, 2.25]);
        assert_eq!(seconds(&with(3.0), 4, 0.0), [1.0, 3.0, 9.0, 27.0]);
        for no_growth in [f64::NAN, 0.0, -2.0, 0.5] {
            assert_eq!(seconds(&with(no_growth), 4, 0.0), [1.0; 4], "{no_growth}");
        }
    }

    #[test]
    fn full_jitter_takes_a_share_of_the_delay() {
        let full = schedule(Backoff::Exponential, Jitter::Full);
        assert_eq!(seconds(&full, 4, 0.0), [0.0; 4]);
        assert_eq!(seconds(&full, 4, 0.25), [0.25, 0.5, 1.0, 2.0]);
    }

    #[test]
    fn equal_jitter_keeps_half_of_the_delay() {
        let equal = schedule(Backoff::Linear, Jitter::Equal);
        assert_eq!(seconds(&equal, 4, 0.0), [0.5, 1.0, 1.5, 2.0]);
        assert_eq!(seconds(&equal, 4, 0.5), [0.75, 1.5, 2.25, 3.0]);
    }

    #[test]
    fn jitter_is_taken_from_the_capped_delay() {
        let capped = Schedule { max_delay: 4 * SECOND, ..schedule(Backoff::Exponential, Jitter::Full) };
        assert_eq!(seconds(&capped, 6, 0.5), [0.5, 1.0, 2.0, 2.0, 2.0, 2.0]);
    }

    #[test]
    fn decorrelated_delays_lie_between_the_base_and_three_times_the_one_before() {
        let decorrelated = schedule(Backoff::Exponential, Jitter::Decorrelated);
        assert_eq!(seconds(&decorrelated, 4, 0.0), [1.0; 4]);
        assert_eq!(seconds(&decorrelated, 4, 0.5), [2.0, 3.5, 5.75, 9.125]);
        assert_eq!(seconds(&decorrelated, 4, 1.0), [3.0, 9.0, 27.0, 81.0]);
    }

    #[test]
    fn decorrelated_delays_grow_from_what_was_waited() {
        let capped =
            Schedule { max_delay: 4 * SECOND, ..schedule(Backoff::Exponential, Jitter::Decorrelated) };
        assert_eq!(seconds(&capped, 4, 1.0), [3.0, 4.0, 4.0, 4.0]);
        let mut previous = Previous::NONE;
        let drawn = [1.0, 1.0, 0.25].map(|unit| capped.delay(0, unit, &mut previous).as_millis());
        assert_eq!(drawn, [3_000, 4_000, 3_750], "a quarter of the way from 1 to 3 times 4");
    }

    #[test]
    fn small_delays_are_not_rounded_to_nothing() {
        // Whole milliseconds would make every one of these zero.
        let full = Schedule { base: Duration::from_micros(900), ..schedule(Backoff::Fixed, Jitter::Full) };
        assert_eq!(full.delay(0, 0.5, &mut { Previous::NONE }), Duration::from_micros(450));
    }

    #[test]
    fn the_least_total_wait_is_what_the_luckiest_dice_leave() {
        let least = |jitter, max| schedule(Backoff::Exponential, jitter).least_total_wait(max);
        assert_eq!(least(Jitter::None, 4), 7 * SECOND);
        assert_eq!(least(Jitter::Equal, 4), Duration::from_millis(3_500));
        assert_eq!(least(Jitter::Full, 4), Duration::ZERO);
        assert_eq!(least(Jitter::Decorrelated, 4), 3 * SECOND);
        assert_eq!(least(Jitter::Decorrelated, 1), Duration::ZERO);
        assert_eq!(least(Jitter::None, 1), Duration::ZERO);
        assert_eq!(least(Jitter::None, 0), Duration::ZERO);
        assert_eq!(least(Jitter::None, u32::MAX), Duration::MAX);
        let fixed = schedule(Backoff::Fixed, Jitter::None);
        assert_eq!(fixed.least_total_wait(u32::MAX), Duration::from_secs(u64::from(u32::MAX) - 1));
    }

    #[test]
    fn words_lead_back_to_what_they_name() {
        for word in Backoff::WORDS {
            assert_eq!(Backoff::from_word(word).map(Backoff::word), Some(*word));
        }
        for word in Jitter::WORDS {
            assert_eq!(Jitter::from_word(word).map(Jitter::word), Some(*word));
        }
        assert_eq!(Jitter::from_word("fulll"), None);
    }

    fn durations() -> impl Strategy<Value = Duration> {
        prop_oneof![
            Just(Duration::ZERO),
            Just(Duration::from_nanos(1)),
            Just(Duration::MAX),
            (0..10_000_000_000_u64).prop_map(Duration::from_nanos),
            (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(secs, nanos)| Duration::new(secs, nanos)),
        ]
    }

    fn units() -> impl Strategy<Value = f64> {
        prop_oneof![8 => 0.0..1.0_f64, 1 => Just(0.0), 1 => Just(1.0_f64.next_down())]
    }

    fn retries() -> impl Strategy<Value = u32> {
        prop_oneof![0..40_u32, any::<u32>(), Just(u32::MAX)]
    }

    fn schedules() -> impl Strategy<Value = Schedule> {
        let backoffs = prop::sample::select(vec![
            Backoff::Fixed,
            Backoff::Linear,
            Backoff::Exponential,
            Backoff::Fibonacci,
        ]);
        let jitters =
            prop::sample::select(vec![Jitter::None, Jitter::Full, Jitter::Equal, Jitter::Decorrelated]);
        let factors = prop_oneof![4 => 1.0..10.0_f64, 1 => any::<f64>()];
        (backoffs, durations(), factors, durations(), jitters).prop_map(
            |(backoff, base, factor, max_delay, jitter)| Schedule {
                backoff,
                base,
                factor,
                max_delay,
                jitter,
            },
        )
    }

    proptest! {
        #![proptest_config(cases(20_000))]

        #[test]
        fn the_delay_before_is_kept_to_a_hundred_millionth(nanos in any::<u64>(), shift in 0..64_u32) {
            let delay = Duration::from_nanos(nanos >> shift);
            let kept = Previous::of(delay).delay();
            let lost = delay.checked_sub(kept).expect("rounded down");
            prop_assert!(lost.as_nanos() * 10_000_000 <= delay.as_nanos(), "{:?} of {:?}", lost, delay);
        }

        #[test]
        fn no_delay_exceeds_the_cap(
            schedule in schedules(),
            draws in prop::collection::vec((retries(), any::<f64>()), 1..8),
        ) {
            let mut previous = Previous::NONE;
            for (n, unit) in draws {
                prop_assert!(schedule.delay(n, unit, &mut previous) <= schedule.max_delay);
            }
        }

        #[test]
        fn jitter_stays_within_its_share(schedule in schedules(), n in retries(), unit in units()) {
            let nominal = schedule.nominal(n);
            let delay = schedule.delay(n, unit, &mut { Previous::NONE });
            match schedule.jitter {
                Jitter::None => prop_assert_eq!(delay, nominal),
                Jitter::Full => prop_assert!(delay <= nominal),
                Jitter::Equal => prop_assert!(nominal / 2 <= delay && delay <= nominal),
                Jitter::Decorrelated => {
                    let base = schedule.base.min(schedule.max_delay);
                    prop_assert!(base <= delay && delay <= schedule.base.saturating_mul(3));
                }
            }
        }

        #[test]
        fn nominal_delays_never_shrink(schedule in schedules(), n in retries()) {
            // A power of four billion is rounded by less than a millionth.
            let (delay, next) = (schedule.nominal(n), schedule.nominal(n.saturating_add(1)));
            prop_assert!(delay <= next.saturating_add(delay / 1_000_000));
        }

        #[test]
        fn a_larger_draw_makes_no_shorter_delay(
            schedule in schedules(), n in retries(), one in units(), other in units(),
        ) {
            let delay = |unit| schedule.delay(n, unit, &mut { Previous::NONE });
            prop_assert!(delay(one.min(other)) <= delay(one.max(other)));
        }

        #[test]
        fn integer_strategies_are_exact(base in 0..u64::MAX, n in 0..100_u32) {
            let with = |backoff| Schedule { base: Duration::from_nanos(base), ..schedule(backoff, Jitter::None) };
            let linear = u128::from(base) * (u128::from(n) + 1);
            prop_assert_eq!(with(Backoff::Linear).nominal(n).as_nanos(), linear);
            let fibonacci = (0..n).fold((1_u128, 2_u128), |(a, b), _| (b, a + b)).0;
            let delay = with(Backoff::Fibonacci).nominal(n).as_nanos();
            prop_assert_eq!(delay, u128::from(base).saturating_mul(fibonacci).min(Duration::MAX.as_nanos()));
        }

        #[test]
        fn what_does_not_grow_is_exact(base in 0..u64::MAX, n in 0..100_u32) {
            let base = Duration::from_nanos(base);
            let exponential = Schedule { base, ..schedule(Backoff::Exponential, Jitter::None) };
            prop_assert_eq!(exponential.nominal(0), base);
            prop_assert_eq!(Schedule { factor: 1.0, ..exponential }.nominal(n), base);
        }

        #[test]
        fn doubling_is_exact_for_everyday_times(micros in 0..100_000_000_u64, n in 0..30_u32) {
            let base = Duration::from_micros(micros);
            let doubling = Schedule { base, ..schedule(Backoff::Exponential, Jitter::None) };
            prop_assert_eq!(doubling.nominal(n), base * (1 << n));
        }

        #[test]
        fn no_dice_wait_less_than_the_least(
            schedule in schedules(),
            draws in prop::collection::vec(units(), 0..40),
        ) {
            let mut previous = Previous::NONE;
            let waits = (0_u32..).zip(&draws).map(|(n, unit)| schedule.delay(n, *unit, &mut previous));
            let total = waits.fold(Duration::ZERO, Duration::saturating_add);
            let max = draws.iter().fold(1, |max, _| max + 1);
            prop_assert!(schedule.least_total_wait(max) <= total);
        }
    }
}
