//! The primitives under the breaker and the counters: std's, or loom's where models explore them.

#[cfg(not(resilient_loom))]
mod primitives {
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Arc, Mutex, MutexGuard, OnceLock, RwLock, RwLockReadGuard, RwLockWriteGuard};
}

#[cfg(resilient_loom)]
mod primitives {
    use std::sync::{OnceLock as Cell, PoisonError};

    use loom::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
    pub(crate) use loom::sync::atomic::{AtomicU64, AtomicUsize};
    pub(crate) use loom::sync::{Arc, Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

    /// loom has none; what std promises is that whoever finds the value sees how it was made.
    #[derive(Debug)]
    pub(crate) struct OnceLock<T> {
        ready: AtomicBool,
        making: Mutex<()>,
        value: Cell<T>,
    }

    impl<T> OnceLock<T> {
        pub(crate) fn new() -> Self {
            Self { ready: AtomicBool::new(false), making: Mutex::new(()), value: Cell::new() }
        }

        pub(crate) fn get(&self) -> Option<&T> {
            if self.ready.load(Acquire) { self.value.get() } else { None }
        }

        pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
            let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
            let value = self.value.get_or_init(make);
            self.ready.store(true, Release);
            value
        }
    }
}

pub(crate) use primitives::*;
