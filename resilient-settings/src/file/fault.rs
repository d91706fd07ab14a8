//! What is wrong with a text, and where.

use std::fmt;

use crate::Spot;
use crate::words::{dotted, printable};

/// One thing wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Keys that lead there; none where the text is not even TOML.
    pub keys: Vec<String>,
    /// What is wrong, and what would be right.
    pub message: String,
    pub spot: Spot,
}

impl Fault {
    pub(super) fn new(keys: &[&str], message: String, spot: Spot) -> Self {
        Self { keys: keys.iter().map(|key| (*key).to_owned()).collect(), message: printable(message), spot }
    }

    /// The keys, joined by dots.
    #[must_use]
    pub fn path(&self) -> String {
        dotted(self.keys.iter().map(String::as_str))
    }
}

/// As the compiler reports a mistake.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        if !self.keys.is_empty() {
            write!(f, "{}: ", self.path())?;
        }
        write!(f, "{}\n{}", self.message, self.spot.excerpt())
    }
}
