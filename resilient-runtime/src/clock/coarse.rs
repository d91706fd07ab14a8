//! The system's coarse clock, which tells the time of its last tick.

use std::sync::OnceLock;

use nix::time::{ClockId, clock_gettime};

use super::Tick;

/// What `pause` is unless tokio has one.
struct Missing;

#[allow(dead_code, reason = "hidden by tokio's where that can pause")]
const fn pause() -> Missing {
    Missing
}

trait Pause {
    const EXISTS: bool;
}

impl Pause for Missing {
    const EXISTS: bool = false;
}

impl Pause for () {
    const EXISTS: bool = true;
}

const fn exists<P: Pause>(_: fn() -> P) -> bool {
    P::EXISTS
}

/// Whether tokio was built to pause time, be it by a user's tests that know nothing of this crate's features.
pub(super) const CAN_PAUSE: bool = {
    #[allow(clippy::wildcard_imports, unused_imports, reason = "only a wildcard may find nothing")]
    use tokio::time::*;
    exists(pause)
};

fn nanos(clock: ClockId) -> Option<u64> {
    let time = clock_gettime(clock).ok()?;
    let (seconds, nanos) = (time.tv_sec().cast_unsigned(), time.tv_nsec().cast_unsigned());
    Some(seconds.wrapping_mul(1_000_000_000).wrapping_add(nanos))
}

/// By how much ticks are ahead of the system's nanoseconds.
fn lead() -> Option<u64> {
    let once = || Some(super::tick().nanos().wrapping_sub(nanos(ClockId::CLOCK_MONOTONIC)?));
    // Too small by the time between the two readings, so the largest is the nearest.
    (0..3).try_fold(once()?, |nearest, _| {
        let other = once()?;
        Some(if other.wrapping_sub(nearest).cast_signed() > 0 { other } else { nearest })
    })
}

/// The time of the last tick, unless the system keeps it to itself.
pub(super) fn tick() -> Option<Tick> {
    static LEAD: OnceLock<Option<u64>> = OnceLock::new();
    let lead = (*LEAD.get_or_init(lead))?;
    Some(Tick(lead.wrapping_add(nanos(ClockId::CLOCK_MONOTONIC_COARSE)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_of_this_crate_can_pause() {
        const { assert!(CAN_PAUSE) };
    }

    #[test]
    fn the_coarse_clock_is_behind_the_other() {
        for _ in 0..1_000 {
            let before = tick().expect("Linux has one");
            assert!(before <= super::super::tick());
            assert!(tick() >= Some(before));
        }
    }
}
