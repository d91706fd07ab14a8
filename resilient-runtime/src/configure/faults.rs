//! What is wrong with a configuration.

use std::fmt;

use resilient_settings::stem::{TABLES, general};
use resilient_settings::words::{dotted, printable};
use resilient_settings::{intern_outside, stack};

use super::Origin;

/// Leads the path of what is said of a function's latency.
const LATENCY: &str = "latency";

/// One thing wrong with a configuration.
///
/// Its `Display` reads like a compiler's message, with the line of the file where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFault {
    /// Kind of policy, such as `"retry"`, or empty where it is unknown.
    ///
    /// `"resilient"` stands for what concerns all of them, `"latency"` for a function that is no guarded one.
    pub stem: &'static str,
    /// Name of the policy, or empty.
    pub name: &'static str,
    /// Key at fault, unless it is the name, or unknown.
    pub key: Option<&'static str>,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Who said it.
    pub origin: Origin,
    path: String,
}

impl ConfigFault {
    /// A fault of what these keys lead to: the kind, the name, the key.
    pub(crate) fn new<'a>(
        path: impl IntoIterator<Item = &'a str>,
        message: impl Into<String>,
        origin: Origin,
    ) -> Self {
        let keys: Vec<_> = path.into_iter().collect();
        let path = dotted(keys.iter().copied());
        // Of a stack's policy the path has its name first.
        let keys = match keys.as_slice() {
            [stack::TABLE, name, part, rest @ ..] if stack::part(part).is_some() => {
                [&[*part, name], rest].concat()
            }
            _ => keys,
        };
        let first = keys.first().copied().unwrap_or_default();
        let table = TABLES.iter().copied().chain([&general::TABLE]).find(|table| table.name == first);
        let of_policy = table.is_some_and(|table| table.name != general::TABLE.name) || first == LATENCY;
        let name = if of_policy {
            keys.get(1).and_then(|name| intern_outside(name)).unwrap_or_default()
        } else {
            ""
        };
        let words = table.into_iter().flat_map(|table| table.keys).map(|key| key.name);
        let key = keys.get(if of_policy { 2 } else { 1 }).and_then(|key| { words }.find(|word| word == key));
        let stem = table.map_or(if of_policy { LATENCY } else { "" }, |table| table.name);
        Self { stem, name, key, message: printable(message.into()), origin, path }
    }

    /// Whether a word at fault stands below the policy's name.
    pub(super) fn is_below_name(&self) -> bool {
        self.path != dotted([self.stem, self.name])
    }

    /// Keys that lead to it, joined by dots: `circuit_breaker.payments.failure_threshold`.
    ///
    /// Empty where a file is not even TOML.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("error: ")?;
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)?;
        match &self.origin {
            Origin::BuiltIn => Ok(()),
            Origin::File(place) => write!(f, "\n{}", place.0.excerpt()),
            origin => write!(f, "\n --> {origin}"),
        }
    }
}

/// A configuration that was refused as a whole.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    pub(super) faults: Vec<ConfigFault>,
}

impl ConfigError {
    /// Everything that is wrong with it.
    #[must_use]
    pub fn faults(&self) -> &[ConfigFault] {
        &self.faults
    }
}

/// For people too: what a `main` returns is shown by this.
impl fmt::Debug for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the configuration was not installed:")?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n\n{fault}"))
    }
}

impl std::error::Error for ConfigError {}
