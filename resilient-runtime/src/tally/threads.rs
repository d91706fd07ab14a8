//! Small numbers for threads, used again after their end.

#[cfg(all(test, resilient_loom))]
pub(crate) use numbers::enter_as;
pub(super) use numbers::{enrol, known};

/// Not enrolled yet, or already past the thread's end.
const UNKNOWN: usize = usize::MAX;

#[cfg(not(resilient_loom))]
mod numbers {
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    use std::sync::{Mutex, PoisonError};

    use super::super::THREADS;
    use super::UNKNOWN;

    #[inline]
    pub(in crate::tally) fn known() -> usize {
        THREAD.get()
    }

    thread_local! {
        static THREAD: Cell<usize> = const { Cell::new(UNKNOWN) };
        static TENURE: Tenure = Tenure::begin();
    }

    /// Lowest first, so that threads keep to the shards that own a line.
    static FREE: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
    static NEXT: AtomicU64 = AtomicU64::new(0);

    /// Holds a thread's number until the thread ends; a later thread may have it then.
    struct Tenure(usize);

    impl Tenure {
        fn begin() -> Self {
            let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            let number =
                free.unwrap_or_else(|| usize::try_from(NEXT.fetch_add(1, Relaxed)).unwrap_or(UNKNOWN));
            Self(number)
        }
    }

    impl Drop for Tenure {
        fn drop(&mut self) {
            // What other thread-locals do while they are destroyed goes to the crowd.
            let _ = THREAD.try_with(|thread| thread.set(UNKNOWN));
            FREE.lock().unwrap_or_else(PoisonError::into_inner).insert(self.0);
        }
    }

    pub(in crate::tally) fn enrol() -> usize {
        let number = TENURE.try_with(|tenure| tenure.0).unwrap_or(UNKNOWN);
        if number < THREADS {
            let _ = THREAD.try_with(|thread| thread.set(number));
        }
        number
    }
}

/// The threads of a model share one thread of the system: each says its number.
#[cfg(resilient_loom)]
mod numbers {
    use std::cell::Cell;

    use super::UNKNOWN;

    loom::thread_local! {
        static THREAD: Cell<usize> = Cell::new(UNKNOWN);
    }

    #[cfg(test)]
    pub(crate) fn enter_as(number: usize) {
        THREAD.with(|thread| thread.set(number));
    }

    pub(in crate::tally) fn known() -> usize {
        THREAD.with(Cell::get)
    }

    pub(in crate::tally) fn enrol() -> usize {
        known()
    }
}
