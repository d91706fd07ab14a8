//! What the annotated functions say of their policies.

use std::collections::BTreeMap;
use std::fmt;

use resilient_settings::Value;

use super::laid::{Laid, position};
use super::{ConfigFault, Merged, Origin, kind};
use crate::function::Function;
use crate::policy::Stem;
use crate::record::annotated;

/// Two functions that write different values for one name.
pub(crate) struct Clash {
    stem: &'static str,
    name: &'static str,
    key: &'static str,
    first: Claim,
    second: Claim,
}

#[derive(Clone, Copy)]
struct Claim {
    key: &'static str,
    value: Value,
    function: &'static Function,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, value, function } = self;
        write!(f, "`{key} = {value}` in `{}` ({}:{})", function.path(), function.file(), function.line())
    }
}

impl fmt::Display for Clash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, but {}", self.first, self.second)
    }
}

impl Clash {
    pub(crate) fn warn(&self) {
        let Self { stem, name, .. } = self;
        tracing::warn!(target: "resilient", stem, policy = name, "{stem} `{name}`: {self}; the first one holds");
    }

    pub(super) fn fault(&self) -> ConfigFault {
        let origin = Origin::attribute(self.second.function);
        ConfigFault::new([self.stem, self.name, self.key], self.to_string(), origin)
    }
}

/// What all annotated functions say, in the order of their paths; the first one holds.
pub(super) fn attributes() -> (Merged, Vec<Clash>) {
    let mut said = Said::default();
    for function in annotated() {
        for layer in function.layers() {
            let Some(stem) = kind(layer.stem()) else { continue };
            let name = layer.policy_name();
            said.merged.entry((stem.name, name)).or_insert_with(Laid::new);
            let writes = |key: &str| layer.written().iter().any(|(written, _)| *written == key);
            for &(key, value) in layer.written() {
                said.claim((stem, name), Claim { key, value, function }, writes);
            }
        }
    }
    (said.merged, said.clashes)
}

#[derive(Default)]
struct Said {
    merged: Merged,
    /// By the place of their key, for two may go by one word.
    claims: BTreeMap<(&'static str, &'static str, usize), Claim>,
    clashes: Vec<Clash>,
}

impl Said {
    fn claim(
        &mut self,
        (stem, name): (&'static Stem, &'static str),
        claim: Claim,
        writes: impl Fn(&str) -> bool,
    ) {
        let key = claim.key;
        let Some(slot) = stem.slot(key, claim.value) else { return };
        let claimed = |slot| self.claims.get(&(stem.name, name, slot));
        let said = |key: &str| writes(key) || position(stem, key).and_then(claimed).is_some();
        let excluded = stem.overruled(|written| written == key, said);
        let slots = excluded.into_iter().filter_map(|excluded| position(stem, excluded)).chain([slot]);
        let rival = slots.filter_map(claimed).find(|rival| rival.disputes(&claim));
        if let Some(&first) = rival {
            self.clashes.push(Clash { stem: stem.name, name, key, first, second: claim });
            return;
        }
        self.claims.entry((stem.name, name, slot)).or_insert(claim);
        let laid = self.merged.entry((stem.name, name)).or_insert_with(Laid::new);
        laid.put(slot, claim.value, Origin::attribute(claim.function));
    }
}

impl Claim {
    fn disputes(&self, other: &Self) -> bool {
        !std::ptr::eq(self.function, other.function) && (self.key != other.key || self.value != other.value)
    }
}
