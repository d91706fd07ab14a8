//! The primitives under policies and counters: std's, or loom's where models explore them.

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

/// Stands where `SeqCst` accesses are in one order, which loom knows of fences only.
#[inline]
pub(crate) fn one_order() {
    #[cfg(resilient_loom)]
    loom::sync::atomic::fence(loom::sync::atomic::Ordering::SeqCst);
}

/// Runs a model in every order of its threads, within a bound, and says how many there were.
#[cfg(all(test, resilient_loom))]
pub(crate) fn explore(name: &str, model: impl Fn() + Send + Sync + 'static) {
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let (count, start) = (seen.clone(), crate::clock::models::NOW.get());
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = builder.preemption_bound.or(Some(2));
    builder.max_branches = 100_000;
    builder.check(move || {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        crate::clock::models::NOW.set(start);
        crate::tally::enter_as(0);
        model();
    });
    println!("{name}: {} interleavings", seen.load(std::sync::atomic::Ordering::Relaxed));
}
