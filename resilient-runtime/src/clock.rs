//! `now` and `sleep`: the only reader of time.
//!
//! Time is tokio's, so a paused test drives this crate together with the code it guards.

mod anchor;
#[cfg(all(target_os = "linux", not(resilient_loom)))]
mod coarse;

use std::sync::OnceLock;
use std::time::Duration;

use resilient_settings::nanos;
use tokio::time::{Instant, Sleep};

use self::anchor::Anchor;

/// A point in time as nanoseconds, small and saturating.
///
/// The machines count in ticks: two paused runtimes may disagree about the present, and no
/// arithmetic on a tick can overflow whatever duration a user wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Tick(u64);

static ANCHOR: OnceLock<Anchor> = OnceLock::new();

impl Tick {
    pub(crate) const ZERO: Self = Self(0);
    pub(crate) const MAX: Self = Self(u64::MAX);

    pub(crate) const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    pub(crate) const fn nanos(self) -> u64 {
        self.0
    }

    /// The tick `after` later, or the last one there is.
    pub(crate) const fn plus(self, after: Duration) -> Self {
        Self(self.0.saturating_add(nanos(after)))
    }

    /// The instant this tick was made from.
    pub(crate) fn instant(self) -> Option<Instant> {
        ANCHOR.get()?.instant(self)
    }

    /// Time since `earlier`, zero if that lies ahead.
    pub(crate) const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl From<Instant> for Tick {
    fn from(instant: Instant) -> Self {
        ANCHOR.get_or_init(|| Anchor::at(instant)).tick(instant)
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[cfg(not(resilient_loom))]
#[inline]
pub(crate) fn tick() -> Tick {
    let now = now();
    ANCHOR.get().and_then(|anchor| anchor.read(now)).unwrap_or_else(|| now.into())
}

/// How far [`earlier`] may lie behind: two ticks of a system that counts a hundred a second.
pub(crate) const LAG: Duration = Duration::from_millis(20);

/// A moment no later than now, for a fifth of the price where time cannot be paused.
///
/// A machine that stands still for a while may put it further behind than [`LAG`].
#[cfg(all(target_os = "linux", not(resilient_loom)))]
pub(crate) fn earlier() -> Tick {
    let coarse = if coarse::CAN_PAUSE { None } else { coarse::tick() };
    coarse.unwrap_or_else(tick)
}

#[cfg(not(all(target_os = "linux", not(resilient_loom))))]
pub(crate) fn earlier() -> Tick {
    tick()
}

/// A model repeats itself only if its time does.
#[cfg(resilient_loom)]
pub(crate) fn tick() -> Tick {
    models::NOW.get()
}

#[cfg(resilient_loom)]
pub(crate) mod models {
    use std::cell::Cell;

    use super::Tick;
    use super::anchor::ORIGIN;

    thread_local! {
        pub(crate) static NOW: Cell<Tick> = const { Cell::new(Tick(ORIGIN)) };
    }
}

/// A timer for `deadline`; the caller makes sure that a runtime is there.
#[expect(clippy::disallowed_methods, reason = "the one place that makes timers")]
pub(crate) fn sleep_until(deadline: Instant) -> Sleep {
    tokio::time::sleep_until(deadline)
}

/// A timer for `delay` from now; more than the clock can hold means thirty years.
#[expect(clippy::disallowed_methods, reason = "the one place that makes timers")]
pub(crate) fn sleep(delay: Duration) -> Sleep {
    tokio::time::sleep(delay)
}
