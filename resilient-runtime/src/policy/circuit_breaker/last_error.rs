//! The class of a breaker's last failure, in a word, so that a failure need not take the lock.

use std::sync::atomic::Ordering::Relaxed;

use crate::outcome::Class;
use crate::sync::AtomicU64;

#[derive(Debug, Default)]
pub(super) struct LastError(AtomicU64);

impl LastError {
    /// None, or one that does not fit: whoever holds the lock knows it.
    pub(super) const KEPT_ELSEWHERE: u64 = 0;

    /// What a failure of this class leaves behind.
    pub(super) const fn code(class: Class) -> u64 {
        match class {
            Class::Throttled { after: Some(_) } => Self::KEPT_ELSEWHERE,
            Class::Transient => 1,
            Class::Throttled { after: None } => 2,
            Class::Permanent => 3,
            Class::Ignored => 4,
            Class::Unknown => 5,
        }
    }

    pub(super) fn set(&self, code: u64) {
        // The line is shared, and most failures are of one class.
        if self.0.load(Relaxed) != code {
            self.0.store(code, Relaxed);
        }
    }

    /// The class, unless it is kept elsewhere.
    pub(super) fn get(&self) -> Option<Class> {
        match self.0.load(Relaxed) {
            1 => Some(Class::Transient),
            2 => Some(Class::Throttled { after: None }),
            3 => Some(Class::Permanent),
            4 => Some(Class::Ignored),
            5 => Some(Class::Unknown),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_told_as_it_was_or_kept_elsewhere() {
        let last = LastError::default();
        assert_eq!(last.get(), None);
        for class in [
            Class::Transient,
            Class::Throttled { after: None },
            Class::Permanent,
            Class::Ignored,
            Class::Unknown,
        ] {
            last.set(LastError::code(class));
            assert_eq!(last.get(), Some(class));
        }
        last.set(LastError::code(Class::Throttled { after: Some(std::time::Duration::ZERO) }));
        assert_eq!(last.get(), None);
    }
}
