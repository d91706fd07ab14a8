//! What the running code has a place in: bulkheads, and flights of coalesced calls.

mod waits;

use std::cell::Cell;
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

pub(crate) use self::waits::Waits;

thread_local! {
    static HELD: Cell<Held> = const { Cell::new(Held::NONE) };
}

/// Policies that one of these has room for: two registers hold them.
const ROOM: usize = 8;

/// Up to eight policies, and beyond that all there are: who cannot tell does not wait for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held([Id; ROOM]);

/// What tells policies apart, also two of one name.
///
/// Of more than thirty thousand in one process, made by hand, two may pass for one: a call would run by itself,
/// or be refused, that might have waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(u16);

/// Told apart by their ids.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Keeper {
    /// Who waits for one of its places gives up in the end.
    Bulkhead,
    /// Who waits for one of its flights does so to the end.
    Coalesce,
}

impl Id {
    const NOBODY: Self = Self(0);
    const EVERYBODY: Self = Self(u16::MAX);
    /// Set in the ids of flights.
    const FLIGHTS: u16 = 1;

    pub(crate) fn new(of: Keeper) -> Self {
        static LAST: AtomicU16 = AtomicU16::new(0);
        // The smallest is two, and the largest less than everybody.
        let number = LAST.fetch_add(1, Relaxed) % (u16::MAX / 2 - 1) + 1;
        match of {
            Keeper::Bulkhead => Self(number * 2),
            Keeper::Coalesce => Self(number * 2 + Self::FLIGHTS),
        }
    }

    const fn is_of_flights(self) -> bool {
        self.0 & Self::FLIGHTS != 0
    }

    #[inline]
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
    const NONE: Self = Self([Id::NOBODY; ROOM]);
    const ALL: Self = Self([Id::EVERYBODY; ROOM]);

    #[inline]
    fn has(self, id: Id) -> bool {
        let [.., last] = self.0;
        self.0.contains(&id) || last == Id::EVERYBODY
    }

    #[inline]
    fn with(self, id: Id) -> Self {
        let [.., last] = self.0;
        if last != Id::NOBODY {
            return Self::ALL;
        }
        let mut held = self.0;
        held.copy_within(..ROOM - 1, 1);
        held[0] = id;
        Self(held)
    }

    fn flights(self) -> impl Iterator<Item = Id> {
        self.0.into_iter().filter(|id| id.is_of_flights())
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
