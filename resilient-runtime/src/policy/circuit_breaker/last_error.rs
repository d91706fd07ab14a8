//! The class of a breaker's last failure, in a word, so that a failure need not take the lock.

use std::sync::atomic::Ordering::Relaxed;

use crate::outcome::Class;
use crate::sync::AtomicU64;

#[derive(Debug, Default)]
pub(super) struct LastError(AtomicU64);

impl LastError {
    /// None, or one that does not fit: whoever holds the lock knows it.
    pub(super) const KEPT_ELSEWHERE: u64 = 0;

    /// What a failure of this class leaves behind, nothing if that has no room here.
    pub(super) const fn code(class: Class) -> Option<u64> {
        match class {
            Class::Transient => Some(1),
            Class::Throttled { after: None } => Some(2),
            Class::Throttled { after: Some(_) } => None,
            Class::Permanent => Some(3),
            Class::Ignored => Some(4),
            Class::Unknown => Some(5),
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
            last.set(LastError::code(class).expect("fits"));
            assert_eq!(last.get(), Some(class));
        }
        assert_eq!(LastError::code(Class::Throttled { after: Some(std::time::Duration::ZERO) }), None);
        last.set(LastError::KEPT_ELSEWHERE);
        assert_eq!(last.get(), None);
    }
}
