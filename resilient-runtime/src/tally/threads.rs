//! Small numbers for threads, used again after their end.

#[cfg(all(test, resilient_loom))]
pub(crate) use numbers::enter_as;
pub(super) use numbers::{enrol, known};

/// The number of a thread without a shard: not enrolled yet, already past its end, or one too many.
pub(super) const NOBODY: usize = 0;

#[cfg(not(resilient_loom))]
mod numbers {
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::sync::{Mutex, PoisonError};

    use super::super::THREADS;
    use super::NOBODY;

    #[inline]
    pub(in crate::tally) fn known() -> usize {
        THREAD.get()
    }

    thread_local! {
        static THREAD: Cell<usize> = const { Cell::new(NOBODY) };
        static TENURE: Tenure = Tenure::begin();
    }

    /// Lowest first, so that threads keep to the shards that own a line.
    static FREE: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());
    static NEXT: AtomicUsize = AtomicUsize::new(1);

    /// Holds a thread's number until the thread ends; a later thread may have it then.
    struct Tenure(usize);

    impl Tenure {
        fn begin() -> Self {
            let free = FREE.lock().unwrap_or_else(PoisonError::into_inner).pop_first();
            Self(free.unwrap_or_else(|| NEXT.fetch_add(1, Relaxed)))
        }
    }

    impl Drop for Tenure {
        fn drop(&mut self) {
            // What other thread-locals do while they are destroyed goes to the crowd.
            let _ = THREAD.try_with(|thread| thread.set(NOBODY));
            FREE.lock().unwrap_or_else(PoisonError::into_inner).insert(self.0);
        }
    }

    pub(in crate::tally) fn enrol() -> usize {
        let number = TENURE.try_with(|tenure| tenure.0).unwrap_or(NOBODY);
        if number >= THREADS {
            return NOBODY;
        }
        let _ = THREAD.try_with(|thread| thread.set(number));
        number
    }
}

/// The threads of a model share one thread of the system: each says its number.
#[cfg(resilient_loom)]
mod numbers {
    use std::cell::Cell;

    use super::NOBODY;

    loom::thread_local! {
        static THREAD: Cell<usize> = Cell::new(NOBODY);
    }

    #[cfg(test)]
    pub(crate) fn enter_as(number: usize) {
        let number = number + 1;
        THREAD.with(|thread| thread.set(if number < super::super::THREADS { number } else { NOBODY }));
    }

    pub(in crate::tally) fn known() -> usize {
        THREAD.with(Cell::get)
    }

    pub(in crate::tally) fn enrol() -> usize {
        known()
    }
}
