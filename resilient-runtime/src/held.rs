//! What the running code has a place in: bulkheads, and flights of coalesced calls.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held::NONE) };
}

/// The innermost four policies; who has more around it waits in the others like anybody else.
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
        HELD.get().0.contains(&self.0)
    }

    /// Counts as held until the guard goes.
    #[inline]
    pub(crate) fn enter(self) -> Holding {
        let outer = HELD.get();
        let [first, second, third, _] = outer.0;
        HELD.set(Held([self.0, first, second, third]));
        Holding { outer }
    }
}

impl Held {
    const NONE: Self = Self([0; 4]);

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
