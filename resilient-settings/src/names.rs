//! Texts that live as long as the program, each once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

/// The one `&'static str` for this text.
#[doc(hidden)]
pub fn intern(text: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let names = names.get_or_insert_default();
    if let Some(&known) = names.get(text) {
        return known;
    }
    let name: &'static str = Box::leak(text.into());
    names.insert(name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_names_are_one_name() {
        assert!(std::ptr::eq(intern("payments"), intern(&String::from("payments"))));
    }
}
