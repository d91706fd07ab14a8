//! Texts that live as long as the program, each once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// Bytes of names that come from outside of the program.
const MOST: usize = 16 << 20;

#[derive(Default)]
struct Names {
    all: HashSet<&'static str>,
    /// Bytes of those from outside.
    outside: usize,
}

static NAMES: Mutex<Option<Names>> = Mutex::new(None);

/// The one `&'static str` for this text.
#[doc(hidden)]
pub fn intern(text: &str) -> &'static str {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().keep(text)
}

/// The one `&'static str` for a text from outside, unless there were too many.
///
/// A file that has other names each time it is read must not fill the memory.
#[doc(hidden)]
pub fn intern_outside(text: &str) -> Option<&'static str> {
    NAMES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().keep_up_to(text, MOST)
}

impl Names {
    fn keep(&mut self, text: &str) -> &'static str {
        if let Some(&known) = self.all.get(text) {
            return known;
        }
        let name: &'static str = Box::leak(text.into());
        self.all.insert(name);
        name
    }

    fn keep_up_to(&mut self, text: &str, most: usize) -> Option<&'static str> {
        if !self.all.contains(text) {
            self.outside = self.outside.checked_add(text.len()).filter(|bytes| *bytes <= most)?;
        }
        Some(self.keep(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_name() {
        assert!(std::ptr::eq(intern("payments"), intern(&String::from("payments"))));
    }

    #[test]
    fn names_from_outside_are_kept_up_to_a_size() {
        let mut names = Names::default();
        assert_eq!(names.keep("of a function, and long"), "of a function, and long");
        assert_eq!(names.keep_up_to("payments", 10), Some("payments"));
        assert_eq!(names.keep_up_to("stock", 10), None, "thirteen bytes");
        assert_eq!(names.keep_up_to("payments", 10), Some("payments"), "it is known");
        assert_eq!(names.keep_up_to("of a function, and long", 10), Some("of a function, and long"));
        assert_eq!(names.keep_up_to("db", 10), Some("db"), "what was refused takes nothing");
    }
}
