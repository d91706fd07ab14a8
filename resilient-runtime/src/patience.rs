//! Whether the running code waits at a bulkhead or a rate limit for as long as it takes.

use std::cell::Cell;

thread_local! {
    static MOOD: Cell<Mood> = const { Cell::new(Mood::Usual) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// As long as the settings say.
    Usual,
    Endless,
    /// Endless, and something inside waits.
    Waiting,
}

/// Restores what held outside, also when the code inside panics.
struct Outside(Mood);

impl Drop for Outside {
    fn drop(&mut self) {
        MOOD.set(self.0);
    }
}

/// Whether a call is to wait although the settings would have it refused.
pub(crate) fn is_endless() -> bool {
    MOOD.get() != Mood::Usual
}

/// Tells whoever polls that a call has no place or permit yet.
pub(crate) fn note_wait() {
    if is_endless() {
        MOOD.set(Mood::Waiting);
    }
}

/// Polls something that waits as long as it takes; and whether it waits for a place or a permit.
pub(crate) fn endlessly<T>(poll: impl FnOnce() -> T) -> (T, bool) {
    let _outside = Outside(MOOD.replace(Mood::Endless));
    let polled = poll();
    (polled, MOOD.get() == Mood::Waiting)
}
