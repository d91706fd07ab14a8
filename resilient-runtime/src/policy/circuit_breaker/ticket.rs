//! What a call gets on its way in, and brings on its way out.

use std::time::Duration;

use super::probes::LAST_PROBE;
use super::word::{NO_WORD, Word};

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
/// constants. One word, because it travels with each call, and laid out like the breaker's own, so that
/// one look tells whether anything has happened since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket(Word);

impl Ticket {
    /// Runs only because the breaker only observes; no decision rests on it.
    pub(super) const OBSERVED: Self = Self::new(0, LAST_PROBE + 1);
    /// Runs because the breaker is disabled.
    pub(super) const UNCOUNTED: Self = Self::new(0, LAST_PROBE + 2);

    pub(super) const fn new(generation: u32, place: u32) -> Self {
        Self(Word::new(generation, place, if place == 0 { 0 } else { NO_WORD }))
    }

    /// A call through a closed breaker.
    pub(super) const fn closed(generation: u32) -> Self {
        Self::new(generation, 0)
    }

    /// A call through a breaker that has this word, and is closed.
    pub(super) const fn through(word: Word) -> Self {
        Self(word.cleaned())
    }

    pub(super) const fn generation(self) -> u32 {
        self.0.generation()
    }

    /// The number of a probe, if nothing else.
    pub(super) const fn place(self) -> u32 {
        self.0.count()
    }

    /// The same with a number in the bits that only words use.
    pub(super) const fn with_note(self, note: u64) -> Self {
        Self(self.0.with_low(note))
    }

    pub(super) const fn note(self) -> u64 {
        self.0.low()
    }

    /// The breaker's word if it is closed since before this call, with nothing counted and nobody to ask or tell.
    pub(super) const fn clean_word(self) -> Word {
        self.0
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    /// Runs, and its outcome is wanted.
    Admitted(Ticket),
    /// Does not run; or runs under [`Observing`], where it would not have run.
    Refused { retry_after: Option<Duration> },
}

#[cfg(test)]
mod tests {
    use super::super::word::{self, COUNTS, TURNS};
    use super::*;

    #[test]
    fn only_a_call_through_a_closed_breaker_has_a_clean_word() {
        assert_eq!(Ticket::closed(7).clean_word(), Word::new(7, 0, 0));
        let counting = Ticket::through(Word::new(7, word::MOST, COUNTS | TURNS));
        assert_eq!(counting.clean_word(), Word::new(7, 0, COUNTS));
        assert_eq!((counting.generation(), counting.place()), (7, 0));
        let probes = (1..1_000).chain([LAST_PROBE]).map(|number| Ticket::new(0, number));
        for ticket in probes.chain([Ticket::OBSERVED, Ticket::UNCOUNTED]) {
            assert!(ticket.clean_word().has(NO_WORD), "{ticket:?}");
        }
        assert_eq!(Ticket::new(3, LAST_PROBE).place(), LAST_PROBE);
    }
}
