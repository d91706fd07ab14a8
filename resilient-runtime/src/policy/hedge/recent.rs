//! How long first attempts took of late, and the quantile of that which says when one is slow.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use resilient_settings::nanos;

use crate::sync::{AtomicU64, OnceLock};

/// As many as the finest quantile needs to have one above it.
const KEPT: usize = if cfg!(resilient_loom) { 4 } else { 1_000 };
/// The least that says anything.
const FEWEST: usize = if cfg!(resilient_loom) { 2 } else { 20 };
/// Below it every time counts at once, above it some wait for their like.
const FEW: u64 = 128;
const BATCH: u64 = 64;

/// A first attempt below this is never called slow: a timer is not finer, and a dependency that answers from
/// memory would have every other call hedged.
const LEAST: Duration = Duration::from_millis(1);

/// Nothing is known yet.
const UNKNOWN: u64 = u64::MAX;

/// A share of calls in thousandths, from a half on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantile(pub(super) u16);

impl Quantile {
    /// The place of the quantile among so many in order: that of the smallest with this share at or below it.
    fn rank(self, count: usize) -> usize {
        (count * usize::from(self.0)).div_ceil(1_000).saturating_sub(1)
    }

    /// Times seen before it is one: there has to be one above it.
    fn warm_up(self) -> usize {
        let above = 1_000_usize.checked_div(1_000_usize.saturating_sub(self.0.into()));
        above.unwrap_or(KEPT).clamp(FEWEST, KEPT)
    }
}

/// The last times, without a lock; the room is taken when the first one comes.
#[derive(Debug)]
pub(super) struct Recent {
    kept: OnceLock<Box<Kept>>,
    /// The quantile in nanoseconds.
    slow: AtomicU64,
}

#[derive(Debug)]
struct Kept {
    seen: AtomicU64,
    /// Zero where nothing has been written.
    times: [AtomicU64; KEPT],
}

impl Recent {
    pub(super) fn new() -> Self {
        Self { kept: OnceLock::new(), slow: AtomicU64::new(UNKNOWN) }
    }

    /// The time beyond which a first attempt is slow, once enough have been seen.
    pub(super) fn slow(&self) -> Option<Duration> {
        match self.slow.load(Relaxed) {
            UNKNOWN => None,
            slow => Some(Duration::from_nanos(slow).max(LEAST)),
        }
    }

    pub(super) fn record(&self, time: Duration, quantile: Quantile) {
        let kept = self.kept.get_or_init(|| {
            Box::new(Kept { seen: AtomicU64::new(0), times: std::array::from_fn(|_| AtomicU64::new(0)) })
        });
        let before = kept.seen.fetch_add(1, Relaxed);
        #[expect(clippy::cast_possible_truncation, reason = "the rest of a small division")]
        kept.times[(before % KEPT as u64) as usize].store(nanos(time).max(1), Relaxed);
        if before < FEW || before.is_multiple_of(BATCH) {
            self.refresh(quantile);
        }
    }

    /// Finds the quantile anew.
    pub(super) fn refresh(&self, quantile: Quantile) {
        let slow = self.kept.get().and_then(|kept| kept.quantile(quantile));
        self.slow.store(slow.unwrap_or(UNKNOWN), Relaxed);
    }

    pub(super) fn forget(&self) {
        if let Some(kept) = self.kept.get() {
            kept.seen.store(0, Relaxed);
            kept.times.iter().for_each(|time| time.store(0, Relaxed));
        }
        self.slow.store(UNKNOWN, Relaxed);
    }
}

impl Kept {
    fn quantile(&self, quantile: Quantile) -> Option<u64> {
        let mut times = [0; KEPT];
        let written = self.times.iter().map(|time| time.load(Relaxed)).filter(|time| *time != 0);
        let count = times.iter_mut().zip(written).map(|(slot, time)| *slot = time).count();
        let times = times.get_mut(..count).filter(|times| times.len() >= quantile.warm_up())?;
        Some(*times.select_nth_unstable(quantile.rank(count)).1)
    }
}

#[cfg(all(test, not(resilient_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prop::cases;

    const P95: Quantile = Quantile(950);

    fn millis(n: u64) -> Duration {
        Duration::from_millis(n)
    }

    #[test]
    fn nothing_is_slow_before_the_warm_up() {
        let recent = Recent::new();
        (1..20).for_each(|n| recent.record(millis(n), P95));
        assert_eq!(recent.slow(), None);
        recent.record(millis(20), P95);
        assert_eq!(recent.slow(), Some(millis(19)));
    }

    #[test]
    fn a_finer_quantile_takes_longer_to_warm_up() {
        for (quantile, times) in [(500, 20), (950, 20), (990, 100), (995, 200), (999, 1_000)] {
            assert_eq!(Quantile(quantile).warm_up(), times, "{quantile}");
        }
    }

    #[test]
    fn what_is_told_at_once_is_not_slow_after_a_millisecond_only() {
        let recent = Recent::new();
        (0..20).for_each(|_| recent.record(Duration::ZERO, P95));
        assert_eq!(recent.slow(), Some(millis(1)));
    }

    #[test]
    fn old_times_give_way_to_new_ones() {
        let recent = Recent::new();
        (0..1_000).for_each(|_| recent.record(millis(10), P95));
        (0..1_100).for_each(|_| recent.record(millis(500), P95));
        assert_eq!(recent.slow(), Some(millis(500)));
    }

    #[test]
    fn what_is_forgotten_has_to_be_learned_again() {
        let recent = Recent::new();
        (0..30).for_each(|_| recent.record(millis(10), P95));
        recent.forget();
        assert_eq!(recent.slow(), None);
        (0..20).for_each(|_| recent.record(millis(30), P95));
        assert_eq!(recent.slow(), Some(millis(30)));
    }

    #[test]
    fn another_quantile_is_found_among_the_same_times() {
        let recent = Recent::new();
        (1..=100).for_each(|n| recent.record(millis(n), P95));
        recent.refresh(Quantile(500));
        assert_eq!(recent.slow(), Some(millis(50)));
        recent.refresh(Quantile(999));
        assert_eq!(recent.slow(), None, "too few for so fine a one");
    }

    proptest! {
        #![proptest_config(cases(2_000))]

        #[test]
        fn the_quantile_is_that_of_the_last_thousand_in_order(
            times in prop::collection::vec(1_000_000..10_000_000_000_u64, 1..1_300),
            quantile in 500..=999_u16,
        ) {
            let (recent, quantile) = (Recent::new(), Quantile(quantile));
            for nanos in &times {
                recent.record(Duration::from_nanos(*nanos), quantile);
            }
            recent.refresh(quantile);
            let mut last = times[times.len().saturating_sub(KEPT)..].to_vec();
            last.sort_unstable();
            let expected = (last.len() >= quantile.warm_up()).then(|| {
                // The smallest with this share of all at or below it.
                let share = |n: usize| n * 1_000 >= last.len() * usize::from(quantile.0);
                let place = (1..=last.len()).find(|n| share(*n)).expect("all are at or below the last");
                Duration::from_nanos(last[place - 1])
            });
            prop_assert_eq!(recent.slow(), expected);
        }
    }
}
