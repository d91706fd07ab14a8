//! One budget and those who share it.

use std::sync::PoisonError;

use crate::budget::Budget;
use crate::clock;
use crate::registry::{SharedSite, registry};
use crate::sync::{Mutex, MutexGuard};
use crate::tally::Tally;

const CALLS: usize = 0;

/// Name of the budget that retries share which name none.
pub(super) const DEFAULT: &str = "default";

/// A budget by name, shared by all retries that name it.
#[derive(Debug)]
pub struct Purse {
    calls: Tally,
    budget: Mutex<Budget>,
}

impl Purse {
    fn new() -> Self {
        Self { calls: Tally::new(), budget: Mutex::new(Budget::FULL) }
    }

    pub(super) fn named(name: &'static str) -> Option<&'static Self> {
        static DEFAULT_PURSE: SharedSite<Purse> = SharedSite::new(DEFAULT);
        match name {
            "none" => None,
            DEFAULT => Some(DEFAULT_PURSE.get(Self::new)),
            _ => Some(registry().0.shared(name, Self::new)),
        }
    }

    /// A call has begun; it is credited when the next retry asks.
    #[inline]
    pub(super) fn called(&self) {
        self.calls.add(CALLS, 1);
    }

    pub(super) fn take(&self) -> bool {
        let (calls, now) = (self.calls.sum(CALLS), clock::tick());
        self.budget().take(calls, now)
    }

    pub(super) fn left(&self) -> u64 {
        self.budget().left(self.calls.sum(CALLS), clock::tick())
    }

    pub(super) fn refill(&self) {
        *self.budget() = Budget::FULL;
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
