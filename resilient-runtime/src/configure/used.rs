//! Which names somebody uses.

use std::collections::{BTreeMap, BTreeSet};

use resilient_settings::Kind;

use super::sources::Section;
use super::{ConfigFault, Layers, kind};
use crate::function::{Function, Layer};
use crate::names::nearest;
use crate::policy::{STEMS, Stem};
use crate::registry::annotated;

/// Names of policies, by their kind.
pub(super) type Names = BTreeMap<&'static str, BTreeSet<&'static str>>;

impl ConfigFault {
    pub(super) fn warn(&self) {
        tracing::warn!(target: "resilient", "{}: {} ({})", self.path(), self.message, self.origin);
    }
}

impl Layers {
    /// Sections whose names nobody uses, and which no other section extends.
    pub(super) fn unused(&self) -> Vec<(&Section, ConfigFault)> {
        let sections = &self.said.sections;
        let extended: BTreeSet<_> =
            sections.iter().filter_map(|by| Some((by.stem.name, by.extends?))).collect();
        let used = self.used();
        let nobody = BTreeSet::new();
        let mut unused = Vec::new();
        for section in sections.iter().filter(|section| !section.default) {
            let path = [section.stem.name, section.name];
            if !self.knows(&used, section) && !extended.contains(&path.into()) {
                let names = used.get(section.stem.name).unwrap_or(&nobody);
                let message = unknown(section.stem, section.name, names);
                unused.push((section, ConfigFault::new(path, message, section.origin.clone())));
            }
        }
        unused
    }

    /// Whether code made by hand is said to use the name.
    #[cfg(feature = "health")]
    pub(crate) fn expects(&self, name: &str) -> bool {
        self.expected.contains(name)
    }

    /// Names that somebody uses, of each kind that the sources speak of: a new world, of which nothing is said,
    /// cannot be asked for its checks yet.
    pub(super) fn used(&self) -> Names {
        let sections = &self.said.sections;
        let said: BTreeSet<_> = sections.iter().map(|section| section.stem.name).collect();
        let stems = STEMS.iter().filter(|stem| said.contains(stem.name));
        stems.map(|stem| (stem.name, used_names(stem, sections))).collect()
    }

    /// Whether a policy of this name is used or declared.
    pub(super) fn knows(&self, used: &Names, section: &Section) -> bool {
        let used = used.get(section.stem.name);
        self.expected.contains(section.name) || used.is_some_and(|names| names.contains(section.name))
    }
}

/// Names of functions' policies, and of policies that others name or share unless they name one.
pub(super) fn used_names(stem: &Stem, sections: &[Section]) -> BTreeSet<&'static str> {
    let layers = || annotated().flat_map(Function::layers);
    let own = layers().filter(|layer| layer.stem() == stem.name).map(Layer::policy_name);
    let written = layers().filter_map(|layer| {
        let slot = reference(kind(layer.stem())?, stem)?;
        let key = kind(layer.stem())?.keys[slot];
        let value = layer.written().iter().find(|(written, _)| *written == key.name);
        key.kind.referred(value.map(|(_, value)| *value))
    });
    let installed = sections.iter().filter_map(|section| {
        let slot = reference(section.stem, stem)?;
        section.stem.keys[slot].kind.referred(Some(section.laid.written.get(slot)?))
    });
    own.chain(written).chain(installed).chain(by_hand(stem)).collect()
}

/// Names of policies that code by hand has made known.
fn by_hand(stem: &Stem) -> Vec<&'static str> {
    #[cfg(feature = "health")]
    if stem.name == crate::health::STEM.name {
        return crate::health::names();
    }
    let _ = stem;
    Vec::new()
}

/// Where `from` names a policy of the kind `to`.
fn reference(from: &Stem, to: &Stem) -> Option<usize> {
    from.keys.iter().position(|key| key.name == to.name && matches!(key.kind, Kind::Name { .. }))
}

fn unknown(stem: &Stem, name: &str, used: &BTreeSet<&'static str>) -> String {
    match nearest(name, used.iter().copied()) {
        Some(known) => format!("no function has a {} of this name; did you mean `{known}`?", stem.name),
        None if used.is_empty() => {
            format!("no function has a {}; `expect` it if code by hand uses it", stem.name)
        }
        None => {
            let known: Vec<_> = used.iter().copied().collect();
            format!("no function has a {} of this name; there are `{}`", stem.name, known.join("`, `"))
        }
    }
}
