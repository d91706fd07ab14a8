//! The arithmetic of a rate limit: permits laid end to end on a line of time.
//!
//! The line is measured in units of which a permit takes a whole number, so that no rate drifts: what the
//! permits taken reach on it, the mark, says everything. A permit may be taken while the mark it moves is at
//! most a burst ahead of now.

#[cfg(all(test, not(resilient_loom)))]
mod tests;

use std::time::Duration;

use resilient_settings::{Rate, nanos};

use crate::clock::Tick;

/// Bits that a time, as units, has behind the point.
const POINT: u32 = 54;
/// Most units of a nanosecond that there are bits for. A rate of no more permits has a whole number of them, so
/// that every moment is one and all of a burst is there at once.
const EXACT: u128 = (1 << (u64::BITS - POINT)) - 1;
/// Longest that a mark lies ahead of now.
const SPAN: u64 = 1 << 56;
/// Longest line before it begins anew.
const LINE: u64 = 1 << 57;
/// What a mark needs at most.
pub(crate) const MARK_BITS: u32 = 58;
/// Units of any other rate; finer ones tell apart what no clock does.
const FINEST: u128 = 8;
/// A line begins this long before the present, so that clocks of two threads may differ.
const LEAD: Duration = Duration::from_secs(3_600);
/// Clocks of two threads differ by less; one that is further behind is another clock.
const ANOTHER_CLOCK: Duration = Duration::from_secs(1);

/// A rate and a burst, as whole numbers of units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    /// Where the line begins, in nanoseconds.
    pub(crate) origin: u64,
    /// Nanoseconds to its end.
    pub(crate) length: u64,
    /// Units of a nanosecond, as a fixed-point number.
    pub(crate) pace: u64,
    /// Units of a permit.
    pub(crate) permit: u64,
    /// Units of a burst.
    pub(crate) burst: u64,
}

/// A moment on the line: the last whole unit before it and the first after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    floor: u64,
    ceil: u64,
}

impl Moment {
    pub(crate) const fn units(self) -> u64 {
        self.floor
    }
}

impl Scale {
    pub(crate) fn new(rate: Rate, burst: u32, now: Tick) -> Self {
        let (permits, period) = rate.reduced();
        let [permits, period, burst] = [permits, period, u64::from(burst.max(1))].map(u128::from);
        let span = u128::from(SPAN);
        let exact = permits <= EXACT && burst * period <= span;
        let permit = if exact { period } else { (span / burst).min(FINEST * period / permits).max(1) };
        let pace = ((permit * permits) << POINT) / period;
        // Rounded down the pace falls behind by less than a unit until the line ends.
        let most = if exact { u128::MAX } else { 1 << POINT };
        let length = ((u128::from(LINE) << POINT) / pace).min(most);
        Self {
            origin: now.nanos().saturating_sub(nanos(LEAD)),
            length: narrow(length),
            pace: narrow(pace),
            permit: narrow(permit),
            burst: narrow(permit * burst),
        }
    }

    /// The same with a burst longer by what comes in `wait`: who would wait takes a permit of the future.
    pub(crate) fn ahead(self, wait: Duration) -> Self {
        let burst = self.burst.saturating_add(self.units(wait)).min(SPAN.max(self.burst));
        Self { burst, ..self }
    }

    /// The same for a report, which may lie behind the end.
    pub(crate) const fn endless(self) -> Self {
        Self { length: u64::MAX, ..self }
    }

    /// Where `now` lies, unless the line has to begin anew.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "no line has more than 2^58 units")]
    pub(crate) const fn moment(&self, now: Tick) -> Option<Moment> {
        let time = now.nanos().wrapping_sub(self.origin);
        if time >= self.length {
            return None;
        }
        let units = time as u128 * self.pace as u128;
        let floor = (units >> POINT) as u64;
        let between = units & ((1 << POINT) - 1) != 0;
        Some(Moment { floor, ceil: floor + between as u64 })
    }

    /// The mark after `cost` more, if that may be taken now.
    ///
    /// What is owed counts from the unit that follows, and what is there ends with the last whole one: no
    /// window gets a fraction too much.
    #[inline]
    pub(crate) fn take(&self, mark: u64, now: Moment, cost: u64) -> Option<u64> {
        (mark.max(now.floor) + cost <= now.floor + self.burst).then(|| mark.max(now.ceil) + cost)
    }

    /// What a mark is ahead of now, at most a burst.
    ///
    /// Where the clock was set back behind the line nobody knows: all that was ever taken counts.
    pub(crate) fn debt(&self, mark: u64, now: Tick) -> u64 {
        mark.saturating_sub(self.units(now.since(Tick::from_nanos(self.origin)))).min(self.burst)
    }

    /// The mark of who owes `debt`.
    pub(crate) fn owing(&self, debt: u64, now: Tick) -> u64 {
        if debt == 0 { 0 } else { self.moment(now).map_or(0, |now| now.ceil) + debt }
    }

    /// Permits that may be taken now.
    pub(crate) fn available(&self, mark: u64, now: Moment) -> u32 {
        let free = self.burst.saturating_sub(mark.saturating_sub(now.floor));
        u32::try_from(free / self.permit).unwrap_or(u32::MAX)
    }

    /// Whether a mark lies further ahead than taking permits can have moved it: the clock was set back.
    pub(crate) fn is_adrift(&self, mark: u64, now: Moment) -> bool {
        // Of a slow rate a second is no whole unit, and what two threads differ by may be one.
        mark > now.ceil + self.burst + self.units(ANOTHER_CLOCK).clamp(1, SPAN)
    }

    /// Whole units of a time.
    fn units(&self, time: Duration) -> u64 {
        narrow((u128::from(nanos(time)) * u128::from(self.pace)) >> POINT)
    }

    /// The time that passes in so many units.
    pub(crate) fn time(&self, units: u64) -> Duration {
        Duration::from_nanos(narrow((u128::from(units) << POINT).div_ceil(u128::from(self.pace))))
    }

    /// Units of `permits`, or nothing if a burst has fewer.
    #[inline]
    pub(crate) fn cost(&self, permits: u32) -> Option<u64> {
        u64::from(permits).checked_mul(self.permit).filter(|cost| *cost <= self.burst)
    }

    /// When the mark may be moved to `mark`.
    pub(crate) fn due(&self, mark: u64) -> Tick {
        Tick::from_nanos(self.origin).plus(self.time(mark.saturating_sub(self.burst)))
    }

    /// A debt on `other` as one on this: the same share of the burst.
    pub(crate) fn converted(&self, debt: u64, other: &Self) -> u64 {
        narrow((u128::from(debt) * u128::from(self.burst)).div_ceil(u128::from(other.burst)))
    }
}

fn narrow(units: u128) -> u64 {
    u64::try_from(units).unwrap_or(u64::MAX)
}
