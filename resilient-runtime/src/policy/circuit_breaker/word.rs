//! What every call reads: a breaker's generation, its failures in a row and what calls have to do, in a word.

use super::ticket::Ticket;

/// A call has to ask whether it may pass.
pub(super) const ASK: u64 = 1;
/// An outcome has to be told at once.
pub(super) const TELL: u64 = 1 << 1;
/// A success has to look whether a bucket turned.
pub(super) const TURNS: u64 = 1 << 2;
/// Calls are timed.
pub(super) const TIMED: u64 = 1 << 3;
/// Refuses everything, and nobody can say for how long; with [`OPEN`] not beyond that time.
pub(super) const FORCED_OPEN: u64 = 1 << 4;
/// Refuses everything for a known time.
pub(super) const OPEN: u64 = 1 << 5;
pub(super) const DISABLED: u64 = 1 << 6;

/// Failures are counted here, and the machine asks for them.
pub(super) const COUNTS: u64 = 1 << 31;

/// Set in tickets only, so that none but a closed breaker's looks like a word.
pub(super) const NO_WORD: u64 = 1 << 7;

const ONE: u64 = 1 << 8;
/// What the count can hold.
pub(super) const MOST: u32 = (1 << 23) - 1;
const COUNT: u64 = MOST as u64 * ONE;
const FLAGS: u64 = COUNTS | (ONE - 1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word(pub(super) u64);

impl Word {
    pub(super) const fn new(generation: u32, count: u32, flags: u64) -> Self {
        Self(((generation as u64) << 32) | (count as u64 * ONE) | flags)
    }

    pub(super) const fn has(self, flags: u64) -> bool {
        self.0 & flags != 0
    }

    pub(super) const fn flags(self) -> u64 {
        self.0 & FLAGS
    }

    /// The flags of a word, the note of a ticket.
    pub(super) const fn low(self) -> u64 {
        self.0 & (NO_WORD - 1)
    }

    pub(super) const fn with_low(self, low: u64) -> Self {
        Self(self.0 & !(NO_WORD - 1) | low)
    }

    pub(super) const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// Failures that the machine has not been told of, or was told of as a run.
    #[expect(clippy::cast_possible_truncation, reason = "the generation is cut off")]
    pub(super) const fn count(self) -> u32 {
        (self.0 & COUNT) as u32 / ONE as u32
    }

    /// The same with nothing counted and nobody to ask or tell.
    pub(super) const fn cleaned(self) -> Self {
        Self(self.0 & !(COUNT | (ONE - 1)))
    }

    /// Whether it is closed since before the call that has this ticket, and nobody has to be asked or told.
    pub(super) fn is_closed_since(self, ticket: Ticket) -> bool {
        !self.has(ASK | TELL) && self.cleaned() == ticket.clean_word()
    }

    pub(super) const fn after_success(self) -> Self {
        Self(self.0 & !COUNT)
    }

    pub(super) const fn after_failure(self) -> Self {
        Self(self.0 + ONE)
    }
}
