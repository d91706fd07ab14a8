//! The kinds of policy, each with its keys.

pub mod budget;
pub mod bulkhead;
pub mod cache;
pub mod circuit_breaker;
pub mod coalesce;
pub mod fallback;
mod foreign;
pub mod general;
pub mod health_check;
pub mod hedge;
pub mod load_shed;
pub mod rate_limit;
pub mod retry;
pub mod timeout;

pub use self::foreign::Foreign;
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

/// Keys that choose between modes, on either side.
#[derive(Debug)]
pub struct Rivals {
    pub one: &'static [&'static str],
    pub other: &'static [&'static str],
    /// Beside any of these they go together after all.
    pub unless: &'static [&'static str],
    /// What the other side belongs to, if its name does not say so.
    pub why: &'static str,
}

/// Two keys of one section that exclude each other.
#[derive(Clone, Copy, Debug)]
pub struct AtOdds {
    pub key: &'static str,
    pub rival: &'static str,
    why: &'static str,
}

impl AtOdds {
    /// What is wrong with the key, where its rival is shown as `rival`.
    #[must_use]
    pub fn message(&self, rival: &str) -> String {
        format!("it and `{rival}` exclude each other{}", self.why)
    }
}

/// One kind of policy: what its attribute, setters and configuration may say.
#[derive(Debug)]
pub struct Table {
    /// Word that attribute, file and configuration table share: the stem.
    pub name: &'static str,
    pub keys: &'static [Key],
    /// What only the attribute takes, for it is code.
    pub code: &'static [&'static str],
    /// What other libraries call the keys.
    pub foreign: &'static [Foreign],
    /// What they call what is code.
    pub foreign_code: &'static [Foreign],
    /// Pairs of which a layer that writes one side overrules the other.
    pub excludes: &'static [Rivals],
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

    /// What excludes each other among the keys that one section writes. Of different layers the stronger one holds.
    pub fn at_odds(&self, written: impl Fn(&str) -> bool) -> Vec<AtOdds> {
        let said = |keys: &'static [&'static str]| keys.iter().copied().filter(|key| written(key));
        let mut accused: Vec<AtOdds> = Vec::new();
        for Rivals { one, other, unless, why } in self.excludes {
            let Some(rival) = said(one).next().filter(|_| said(unless).next().is_none()) else { continue };
            // What belongs to one of two modes is no mistake of its own beside both.
            if accused.iter().all(|known| known.rival != rival) {
                accused.extend(said(other).map(|key| AtOdds { key, rival, why }));
            }
        }
        accused
    }

    /// The keys that a stronger layer takes away by writing their rivals.
    pub fn overruled(
        &self,
        stronger: impl Fn(&str) -> bool,
        either: impl Fn(&str) -> bool,
    ) -> Vec<&'static str> {
        let chosen = |side: &[&str]| side.iter().any(|key| stronger(key));
        let apart = self.excludes.iter().filter(|rivals| !rivals.unless.iter().any(|key| either(key)));
        let sides = apart.flat_map(|Rivals { one, other, .. }| [(one, other), (other, one)]);
        let gone = sides.filter(|(side, _)| chosen(side)).flat_map(|(_, gone)| gone.iter().copied());
        gone.collect()
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

/// The kind of policy of this name.
#[must_use]
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().copied().find(|table| table.name == name)
}
