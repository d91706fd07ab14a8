//! The kinds of policy, each with its keys.

pub mod budget;
pub mod bulkhead;
pub mod cache;
pub mod circuit_breaker;
pub mod coalesce;
pub mod fallback;
pub mod general;
pub mod health_check;
pub mod hedge;
pub mod load_shed;
pub mod rate_limit;
pub mod retry;
pub mod timeout;

use crate::{Complaint, Key, Kind, Value, Written};

/// Whether a policy does anything: without it every call passes as if it were not there.
const ENABLED_KEY: Key = Key { name: "enabled", kind: Kind::Flag };

/// Whether a policy refuses calls, or only tells which ones it would have refused.
const MODE_KEY: Key = Key { name: "mode", kind: Kind::Word(MODES) };
pub const MODES: &[&str] = &["enforce", OBSERVE];
const OBSERVE: &str = "observe";

/// Whether a policy only observes, as the key that says so has it.
#[must_use]
pub fn observes(written: &Written, mode: usize) -> bool {
    written.word(mode) == Some(OBSERVE)
}

/// What a policy that refuses calls means for the readiness of the program.
pub const READINESS: &[&str] = &["ignore", "degrade", "fail"];

/// One kind of policy: what its attribute, setters and configuration may say.
#[derive(Debug)]
pub struct Table {
    /// Word that attribute, file and configuration table share: the stem.
    pub name: &'static str,
    pub keys: &'static [Key],
    /// What only the attribute takes, for it is code.
    pub code: &'static [&'static str],
    /// Groups of keys that choose between modes: a layer that writes into one side of a pair
    /// takes the other side's weaker values away.
    pub excludes: &'static [(&'static [&'static str], &'static [&'static str])],
    /// Complaints about keys that do not go together, after all layers are merged.
    pub check: fn(&Written) -> Vec<Complaint>,
}

impl Table {
    /// The place of `key`. Two places may go by one word, if they take different values.
    #[must_use]
    pub fn slot(&self, key: &str, value: Value) -> Option<usize> {
        let places = || self.keys.iter().enumerate().filter(|(_, known)| known.name == key);
        let takes = places().find(|(_, known)| known.kind.complain(value).is_none());
        takes.or_else(|| places().next()).map(|(place, _)| place)
    }
}

/// Every kind of policy there is, in the order of their names.
pub static TABLES: &[&Table] = &[
    &budget::TABLE,
    &bulkhead::TABLE,
    &cache::TABLE,
    &circuit_breaker::TABLE,
    &coalesce::TABLE,
    &fallback::TABLE,
    &health_check::TABLE,
    &hedge::TABLE,
    &load_shed::TABLE,
    &rate_limit::TABLE,
    &retry::TABLE,
    &timeout::TABLE,
];
