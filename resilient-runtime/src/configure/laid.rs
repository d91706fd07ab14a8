//! Settings of one policy with where each comes from, laid over one another.

use resilient_settings::stem::Table;
use resilient_settings::{MAX_KEYS, Value, Written};

use super::Origin;

/// What one policy goes by, and who said so.
#[derive(Clone, Debug)]
pub(crate) struct Laid {
    pub(crate) written: Written,
    origins: [Option<Origin>; MAX_KEYS],
    /// Who speaks of the policy at all, even if of no key.
    section: Option<Origin>,
}

impl Laid {
    pub(super) const fn new() -> Self {
        Self { written: Written::NOTHING, origins: [const { None }; MAX_KEYS], section: None }
    }

    /// What a section says that has no key yet.
    pub(super) fn of(section: Origin) -> Self {
        Self { section: Some(section), ..Self::new() }
    }

    pub(super) fn put(&mut self, key: usize, value: Value, origin: Origin) {
        self.written.put(key, Some(value));
        self.origins[key] = Some(origin);
    }

    /// Lays stronger settings over these, which may change the mode.
    pub(super) fn over(&mut self, table: &Table, stronger: &Self) {
        self.section = stronger.section.clone().or_else(|| self.section.take());
        let either = |key: &str| self.says(table, key) || stronger.says(table, key);
        let overruled = table.overruled(|key| stronger.says(table, key), either);
        for key in overruled.into_iter().filter_map(|key| position(table, key)) {
            self.written.put(key, None);
            self.origins[key] = None;
        }
        for key in 0..table.keys.len() {
            if let (Some(value), Some(origin)) = (stronger.written.get(key), stronger.origin(key)) {
                self.put(key, value, origin.clone());
            }
        }
    }

    /// Whether something is written behind the key.
    pub(super) fn says(&self, table: &Table, key: &str) -> bool {
        position(table, key).is_some_and(|key| self.written.get(key).is_some())
    }

    pub(crate) fn origin(&self, key: usize) -> Option<&Origin> {
        self.origins[key].as_ref()
    }

    /// Who is to blame for `key` beside `others`, be it that it was left out: whoever spoke over the attribute, where
    /// it is the attribute's.
    pub(crate) fn blamed(&self, table: &Table, key: &str, others: &[&str]) -> Origin {
        let origin = |key: &str| position(table, key).and_then(|key| self.origin(key));
        let written = std::iter::once(&key).chain(others).filter_map(|key| origin(key));
        let said = written.rev().max_by_key(|origin| origin.is_configured());
        let attribute = || self.origins.iter().flatten().next();
        said.or(self.section.as_ref()).or_else(attribute).cloned().unwrap_or(Origin::BuiltIn)
    }
}

pub(super) fn position(table: &Table, key: &str) -> Option<usize> {
    table.keys.iter().position(|known| known.name == key)
}
