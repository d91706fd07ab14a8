//! Settings of one policy with where each comes from, laid over one another.

use resilient_settings::stem::Table;
use resilient_settings::{MAX_KEYS, Value, Written};

use super::Origin;

/// What one policy goes by, and who said so.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    pub(crate) written: Written,
    origins: [Option<Origin>; MAX_KEYS],
}

impl Laid {
    pub(super) const fn new() -> Self {
        Self { written: Written::NOTHING, origins: [const { None }; MAX_KEYS] }
    }

    /// Writes a value and takes away what it excludes: a stronger layer has changed the mode.
    pub(super) fn put(&mut self, table: &Table, key: usize, value: Value, origin: Origin) {
        for excluded in excluded_by(table, table.keys[key].name).filter_map(|key| position(table, key)) {
            self.written.put(excluded, None);
            self.origins[excluded] = None;
        }
        self.written.put(key, Some(value));
        self.origins[key] = Some(origin);
    }

    /// Lays stronger settings over these.
    pub(super) fn over(&mut self, table: &Table, stronger: &Self) {
        for key in 0..table.keys.len() {
            if let (Some(value), Some(origin)) = (stronger.written.get(key), stronger.origin(key)) {
                self.put(table, key, value, origin.clone());
            }
        }
    }

    pub(crate) fn origin(&self, key: usize) -> Option<&Origin> {
        self.origins[key].as_ref()
    }

    /// Who is to blame for `key`, be it that it was left out.
    pub(crate) fn blamed(&self, table: &Table, key: &str) -> Origin {
        let written = position(table, key).and_then(|key| self.origin(key));
        let others = self.origins.iter().rev().flatten();
        let strongest = others.max_by_key(|origin| !matches!(origin, Origin::Attribute { .. }));
        written.or(strongest).cloned().unwrap_or(Origin::BuiltIn)
    }
}

pub(super) fn excluded_by(table: &Table, key: &str) -> impl Iterator<Item = &'static str> {
    let pairs = table.excludes.iter().flat_map(|&(one, other)| [(one, other), (other, one)]);
    pairs.filter(move |(side, _)| side.contains(&key)).flat_map(|(_, other)| other.iter().copied())
}

pub(super) fn position(table: &Table, key: &str) -> Option<usize> {
    table.keys.iter().position(|known| known.name == key)
}
