//! Whether calls are refused, or would be: told once as it begins and once as it ends.

use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicU8, AtomicU64};
use std::time::Duration;

use crate::clock::{self, Tick};

/// What is done about an overload.
pub(super) const NOTHING: u8 = 0;
pub(super) const REFUSES: u8 = 1;
pub(super) const OBSERVES: u8 = 2;
/// Somebody tells that it begins or ends, and nobody else does meanwhile.
const TELLING: u8 = 3;

/// How long a refused call says something. Where no calls come none can show that the overload is over.
const RECENT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Overload {
    does: AtomicU8,
    /// When a call was last refused.
    refused: AtomicU64,
    /// Calls refused in overloads that have ended, and those that would have been.
    told: [AtomicU64; 2],
}

/// Nobody else tells anything until this is dropped, by a listener that panics too.
pub(super) struct Telling<'a> {
    does: &'a AtomicU8,
    then: u8,
}

impl Drop for Telling<'_> {
    fn drop(&mut self) {
        self.does.store(self.then, Release);
    }
}

impl Overload {
    pub(super) const fn new() -> Self {
        let told = [const { AtomicU64::new(0) }; 2];
        Self { does: AtomicU8::new(NOTHING), refused: AtomicU64::new(0), told }
    }

    /// What is done about it now.
    #[inline]
    pub(super) fn does(&self) -> u8 {
        self.does.load(Relaxed)
    }

    /// Whether calls were refused of late.
    pub(super) fn refuses(&self) -> bool {
        let refused = Tick::from_nanos(self.refused.load(Relaxed));
        self.does() == REFUSES && clock::tick().since(refused) < RECENT
    }

    pub(super) fn refused(&self) {
        self.refused.store(clock::earlier().nanos(), Relaxed);
    }

    /// For whoever has to tell that it begins, if there is none.
    pub(super) fn begin(&self, does: u8) -> Option<Telling<'_>> {
        self.tell(NOTHING, does)
    }

    /// For whoever has to tell that the one about which this is done ends.
    pub(super) fn end(&self, does: u8) -> Option<Telling<'_>> {
        if does == TELLING { None } else { self.tell(does, NOTHING) }
    }

    fn tell(&self, now: u8, then: u8) -> Option<Telling<'_>> {
        let told = self.does.compare_exchange(now, TELLING, AcqRel, Acquire);
        told.is_ok().then_some(Telling { does: &self.does, then })
    }

    /// Of so many calls in all, those that no end has told of yet.
    pub(super) fn untold(&self, does: u8, calls: u64) -> u64 {
        let [refused, observed] = &self.told;
        let told = if does == OBSERVES { observed } else { refused };
        calls.saturating_sub(told.swap(calls, Relaxed))
    }

    /// Ends it without a word.
    pub(super) fn forget(&self, refused: u64, observed: u64) {
        self.does.store(NOTHING, Release);
        self.untold(REFUSES, refused);
        self.untold(OBSERVES, observed);
    }
}
