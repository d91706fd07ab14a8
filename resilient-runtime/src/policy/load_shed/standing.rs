//! What an overload means for the readiness of the program.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use resilient_settings::Written;
use resilient_settings::stem::load_shed as slot;

use crate::clock::{self, Tick};
use crate::health::Readiness;

/// How long a refused call says something.
const RECENT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Standing {
    readiness: AtomicUsize,
    /// When a call was last refused, kept only where somebody asks.
    refused: AtomicU64,
}

impl Standing {
    pub(super) fn new(written: &Written) -> Self {
        let standing = Self { readiness: AtomicUsize::new(0), refused: AtomicU64::new(0) };
        standing.apply(written);
        standing
    }

    pub(super) fn apply(&self, written: &Written) {
        self.readiness.store(Readiness::of(written, slot::READINESS) as usize, Relaxed);
    }

    pub(super) fn readiness(&self) -> Readiness {
        Readiness::ALL[self.readiness.load(Relaxed)]
    }

    pub(super) fn refused(&self) {
        if self.readiness() != Readiness::Ignore {
            self.refused.store(clock::earlier().nanos(), Relaxed);
        }
    }

    /// Whether a call was refused of late, as far as that matters: a program that is not ready gets no call whose
    /// end could show that the overload is over.
    pub(super) fn is_recent(&self) -> bool {
        let refused = Tick::from_nanos(self.refused.load(Relaxed));
        self.readiness() == Readiness::Ignore || clock::tick().since(refused) < RECENT
    }
}
