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

use crate::{Complaint, Key, Kind, Written};

/// Whether a policy does anything: without it every call passes as if it were not there.
const ENABLED_KEY: Key = Key { name: "enabled", kind: Kind::Flag };

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
