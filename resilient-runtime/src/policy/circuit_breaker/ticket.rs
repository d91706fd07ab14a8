//! What a call gets on its way in, and brings on its way out.

use std::time::Duration;

use super::probes::LAST_PROBE;

/// How an admitted call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure,
    Ignored,
    Abandoned,
    Panicked,
}

/// An admission: the generation it was made in above, its place below.
///
/// The place is the number of a probe, zero for a call through a closed breaker, or one of the
/// constants. One word, because it travels with each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(u64);

impl Ticket {
    /// Runs only because the breaker only observes; no decision rests on it.
    pub(super) const OBSERVED: Self = Self::new(0, LAST_PROBE + 1);
    /// Runs because the breaker is disabled.
    pub(super) const UNCOUNTED: Self = Self::new(0, LAST_PROBE + 2);

    pub(super) const fn new(generation: u32, place: u32) -> Self {
        Self((generation as u64) << 32 | place as u64)
    }

    /// A call through a closed breaker.
    pub(super) const fn closed(generation: u32) -> Self {
        Self::new(generation, 0)
    }

    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The number of a probe, if nothing else.
    #[expect(clippy::cast_possible_truncation, reason = "the generation is above it")]
    pub(super) const fn place(self) -> u32 {
        self.0 as u32
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Runs, and its outcome is wanted.
    Admitted(Ticket),
    /// Does not run; or runs under [`Observing`], where it would not have run.
    Refused { retry_after: Option<Duration> },
}
