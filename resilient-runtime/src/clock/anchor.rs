//! From instants to ticks and back.

use std::hash::{Hash as _, Hasher};
use std::time::Duration;

use tokio::time::Instant;

use super::{Tick, nanos};

/// Where the first instant seen lies, so that earlier ones stay positive too.
pub(super) const ORIGIN: u64 = 1 << 60;
const SECOND: u64 = 1_000_000_000;
/// Seconds from the anchor on that a tick has room for, with some to spare.
const NEAR: u64 = 1 << 33;

/// The first instant seen.
#[derive(Debug)]
pub(super) struct Anchor {
    instant: Instant,
    /// Its seconds, and the tick at which they began, if instants are what [`Parts`] takes them for.
    seconds: Option<(u64, u64)>,
}

impl Anchor {
    pub(super) fn at(instant: Instant) -> Self {
        let Parts { seconds, nanos } = Parts::of(instant);
        let mut anchor = Self { instant, seconds: Some((seconds, ORIGIN.wrapping_sub(nanos))) };
        if !anchor.reads_as_it_measures() {
            anchor.seconds = None;
        }
        anchor
    }

    pub(super) fn tick(&self, instant: Instant) -> Tick {
        match instant.checked_duration_since(self.instant) {
            Some(ahead) => Tick(ORIGIN.saturating_add(nanos(ahead))),
            None => Tick(ORIGIN.saturating_sub(nanos(self.instant.duration_since(instant)))),
        }
    }

    pub(super) fn instant(&self, Tick(tick): Tick) -> Option<Instant> {
        match tick.checked_sub(ORIGIN) {
            Some(ahead) => self.instant.checked_add(Duration::from_nanos(ahead)),
            None => self.instant.checked_sub(Duration::from_nanos(ORIGIN - tick)),
        }
    }

    /// The same as [`tick`](Self::tick), of an instant that is not too far from the anchor, for less than half of
    /// the price: to subtract two instants takes the standard library a fifth of what it takes to read a clock.
    #[inline]
    pub(super) fn read(&self, instant: Instant) -> Option<Tick> {
        let (first, begun) = self.seconds?;
        let Parts { seconds, nanos } = Parts::of(instant);
        let ahead = seconds.wrapping_sub(first);
        (ahead < NEAR).then(|| Tick(begun.wrapping_add(ahead * SECOND + nanos)))
    }

    /// What instants are made of is the library's own business, and may be another tomorrow.
    fn reads_as_it_measures(&self) -> bool {
        let steps = [0, 1, SECOND / 3, SECOND - 1, SECOND, 7 * SECOND / 3, 86_400 * SECOND + 1];
        steps.into_iter().all(|step| {
            let then = self.instant.checked_add(Duration::from_nanos(step));
            then.is_none_or(|then| self.read(then) == Some(self.tick(then)))
        })
    }
}

/// Seconds and nanoseconds of an instant, which tells a hasher what it tells nobody else.
#[derive(Default)]
struct Parts {
    seconds: u64,
    nanos: u64,
}

impl Parts {
    #[inline]
    fn of(instant: Instant) -> Self {
        let mut parts = Self::default();
        instant.hash(&mut parts);
        parts
    }
}

impl Hasher for Parts {
    /// Anything else an instant may be made of shows in the comparison of both ways.
    fn write(&mut self, _: &[u8]) {}

    #[inline]
    fn write_u64(&mut self, seconds: u64) {
        self.seconds = seconds;
    }

    #[inline]
    fn write_u32(&mut self, nanos: u32) {
        self.nanos = nanos.into();
    }

    fn finish(&self) -> u64 {
        self.nanos
    }
}

#[cfg(all(test, not(resilient_loom)))]
mod tests {
    use proptest::prelude::*;

    use super::super::now;
    use super::*;
    use crate::prop::cases;

    #[test]
    fn this_library_makes_instants_of_seconds_and_nanoseconds() {
        assert!(Anchor::at(now()).seconds.is_some(), "every reading of the clock pays for the subtraction");
    }

    #[test]
    fn what_is_too_far_away_or_before_the_first_is_not_read() {
        let anchor = Anchor::at(now());
        let far = anchor.instant.checked_add(Duration::from_secs(NEAR)).expect("a clock has room for it");
        let before = anchor.instant.checked_sub(Duration::from_secs(1)).expect("a machine is up that long");
        assert_eq!((anchor.read(far), anchor.read(before)), (None, None));
    }

    proptest! {
        #![proptest_config(cases(20_000))]

        #[test]
        fn both_ways_lead_to_one_tick_and_back(
            first in 0..10 * SECOND, ahead in prop_oneof![0..2_u64, 0..10 * SECOND, 0..1_u64 << 60]
        ) {
            let base = now();
            let anchor = Anchor::at(base + Duration::from_nanos(first));
            let then = anchor.instant + Duration::from_nanos(ahead);
            prop_assert_eq!(anchor.read(then), Some(anchor.tick(then)));
            prop_assert_eq!(anchor.instant(anchor.tick(then)), Some(then));
        }
    }
}
