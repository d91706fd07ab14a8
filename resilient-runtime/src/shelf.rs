//! A list that only grows, and whose first entries are read without a lock.

use std::sync::{OnceLock, PoisonError, RwLock};

#[derive(Debug)]
pub(crate) struct Shelf<T, const N: usize> {
    first: [OnceLock<T>; N],
    rest: RwLock<Vec<T>>,
}

impl<T: Copy, const N: usize> Shelf<T, N> {
    pub(crate) const fn new() -> Self {
        Self { first: [const { OnceLock::new() }; N], rest: RwLock::new(Vec::new()) }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<T> {
        match self.first.get(at) {
            Some(place) => place.get().copied(),
            None => self.rest.read().unwrap_or_else(PoisonError::into_inner).get(at - N).copied(),
        }
    }

    /// Adds what is made of its place.
    pub(crate) fn push(&self, make: impl FnOnce(usize) -> T) -> T {
        let mut rest = self.rest.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = self.first.iter().position(|place| place.get().is_none()) {
            return *self.first[at].get_or_init(|| make(at));
        }
        let entry = make(N + rest.len());
        rest.push(entry);
        entry
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_at_their_places() {
        let shelf = Shelf::<usize, 2>::new();
        assert_eq!(shelf.get(0), None);
        for at in 0..5 {
            assert_eq!(shelf.push(|place| place * 10), at * 10);
        }
        assert!((0..5).all(|at| shelf.get(at) == Some(at * 10)));
        assert_eq!(shelf.get(5), None);
    }
}
