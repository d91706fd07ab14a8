//! What the running code has a place in: bulkheads, and flights of coalesced calls.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held::NONE) };
}

/// Up to four policies, and beyond that all there are: who cannot tell does not wait for itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held([u32; 4]);

/// What tells policies apart, also two of one name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id(u32);

impl Id {
    pub(crate) fn new() -> Self {
        static LAST: AtomicU32 = AtomicU32::new(0);
        Self(LAST.fetch_add(1, Relaxed).wrapping_add(1))
    }

    pub(crate) fn is_held(self) -> bool {
        HELD.get().has(self)
    }

    /// Counts as held until the guard goes.
    #[inline]
    pub(crate) fn enter(self) -> Holding {
        let outer = HELD.get();
        if !outer.has(self) {
            HELD.set(outer.with(self));
        }
        Holding { outer }
    }
}

impl Held {
    const NONE: Self = Self([0; 4]);
    const ALL: Self = Self([u32::MAX; 4]);

    fn has(self, id: Id) -> bool {
        let [.., last] = self.0;
        self.0.contains(&id.0) || last == u32::MAX
    }

    const fn with(self, id: Id) -> Self {
        let [first, second, third, last] = self.0;
        if last == 0 { Self([id.0, first, second, third]) } else { Self::ALL }
    }

    /// What is held here, for work that goes on elsewhere.
    pub(crate) fn current() -> Self {
        HELD.get()
    }

    pub(crate) fn enter(self) -> Holding {
        Holding { outer: HELD.replace(self) }
    }
}

/// Restores what was held outside, also when the code inside panics.
#[must_use]
pub(crate) struct Holding {
    outer: Held,
}

impl Drop for Holding {
    #[inline]
    fn drop(&mut self) {
        HELD.set(self.outer);
    }
}
