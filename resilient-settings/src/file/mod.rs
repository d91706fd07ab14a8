//! Settings in TOML: a table for each kind of policy, in it one for each policy.
//!
//! ```toml
//! [circuit_breaker.default]       # weaker than the attributes
//! reset_timeout = "10s"
//!
//! [circuit_breaker.payments]      # stronger
//! failure_rate = 0.3
//!
//! [policy.orders]                 # the stack of `#[resilient("orders")]`
//! retry = { max = 4 }
//! ```
//!
//! The text is walked against the tables of [`stem`](crate::stem), so that everything that is wrong with it is
//! told at once, each with its place. What can only be known when several texts are laid over each other, such
//! as keys that do not go together, is left to whoever does that.

mod chains;
mod fault;
mod read;
mod torn;
mod unknown;
mod value;

use std::sync::Arc;

pub use self::chains::chains;
pub use self::fault::Fault;
pub use self::read::setting;
pub use self::unknown::advice;
pub use self::value::of_text;
use crate::stem::Table;
use crate::{Source, Spot, Value};

/// The name of the section that holds for all policies of its kind.
pub const DEFAULT: &str = "default";

/// What a text says.
#[derive(Clone, Debug)]
pub struct Document {
    /// `[resilient]`.
    pub general: Section,
    /// Levels of events, by their names.
    pub log: Vec<Level>,
    /// In the order written.
    pub sections: Vec<Section>,
    /// Names of `[policy]` without a part below them.
    pub stacks: Vec<(String, Spot)>,
    /// Whether what seems to be missing may stand where the text cannot be read.
    pub torn: bool,
}

/// What one table says of a policy, a template or a whole kind.
#[derive(Clone, Debug)]
pub struct Section {
    pub table: &'static Table,
    pub name: &'static str,
    /// Where its name stands.
    pub spot: Spot,
    /// The section whose values hold where this one says nothing.
    pub extends: Option<(&'static str, Spot)>,
    /// Places in the table of keys, with what was written.
    pub values: Vec<(usize, Value, Spot)>,
}

/// How loud an event is.
#[derive(Clone, Debug)]
pub struct Level {
    /// Its name, which only the runtime can check.
    pub event: String,
    /// One of [`LEVELS`].
    pub level: &'static str,
    pub spot: Spot,
}

/// What an event's level may be.
pub const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace", "off"];

/// Reads a text, whose name is for messages. What is at fault is left out of the document, and of more than 256
/// mistakes the rest is not told.
#[must_use]
pub fn read(name: &str, text: &str) -> (Document, Vec<Fault>) {
    let source = Arc::new(Source::new(name, text));
    read::read(&source)
}

#[cfg(test)]
mod tests;
