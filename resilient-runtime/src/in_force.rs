//! Since when the configuration in force is, and how reloads ended.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::clock::{self, Tick};

#[derive(Debug)]
pub(crate) struct InForce {
    since: AtomicU64,
    #[cfg(feature = "config")]
    applied: AtomicU64,
    #[cfg(feature = "config")]
    refused: AtomicU64,
}

impl InForce {
    pub(crate) fn new() -> Self {
        Self {
            since: AtomicU64::new(clock::tick().nanos()),
            #[cfg(feature = "config")]
            applied: AtomicU64::new(0),
            #[cfg(feature = "config")]
            refused: AtomicU64::new(0),
        }
    }

    /// Another configuration takes effect.
    pub(crate) fn begin(&self) {
        self.since.store(clock::tick().nanos(), Relaxed);
    }

    pub(crate) fn age(&self) -> Duration {
        clock::tick().since(Tick::from_nanos(self.since.load(Relaxed)))
    }
}

#[cfg(feature = "config")]
impl InForce {
    /// Files were read anew, and what they say was taken over or not.
    pub(crate) fn reloaded(&self, applied: bool) {
        if applied { &self.applied } else { &self.refused }.fetch_add(1, Relaxed);
    }

    pub(crate) fn applied(&self) -> u64 {
        self.applied.load(Relaxed)
    }

    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}
