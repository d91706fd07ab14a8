//! What is wrong with a text, and where.

use std::fmt;

use crate::Spot;

/// One thing wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Keys that lead there, joined by dots; empty where the text is not even TOML.
    pub path: String,
    /// What is wrong, and what would be right.
    pub message: String,
    pub spot: Spot,
}

/// As the compiler reports a mistake.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}\n{}", self.message, self.spot.excerpt())
    }
}
