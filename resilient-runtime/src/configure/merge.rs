//! Lays what is said over what the attributes say.

use std::collections::{BTreeMap, BTreeSet};

use resilient_settings::Value;
use resilient_settings::stem::general;

use super::attributes::{Clash, attributes};
use super::laid::{Laid, position};
use super::sources::{Section, is_default};
use super::{Layers, Origin, kind};
use crate::composed;
use crate::policy::Stem;
use crate::registry::{World, registry};

/// Settings in force, by stem and name.
pub(crate) type Merged = BTreeMap<(&'static str, &'static str), Laid>;

/// Lays what is installed over what the attributes say.
pub(crate) fn merge(world: &World, layers: &Layers) -> (Merged, Vec<Clash>) {
    let (mut merged, clashes) = attributes();
    let sections = &layers.said.sections;
    let used = layers.used(world);
    for section in sections.iter().filter(|section| !section.default && layers.knows(&used, section)) {
        merged.entry((section.stem.name, section.name)).or_insert_with(Laid::new);
    }
    let own = Own::new(sections);
    let unsaid = composed::unsaid();
    for (&(stem, name), laid) in &mut merged {
        let Some(stem) = kind(stem) else { continue };
        let attribute = std::mem::replace(laid, Laid::new());
        own.lay(stem, (DEFAULT, true), laid);
        laid.over(stem, &attribute);
        if unsaid.contains(&(stem.name, name)) && !own.names(stem, name) {
            switch_off(stem, Origin::BuiltIn, laid);
        }
        own.lay(stem, (name, false), laid);
        if layers.said.flag(general::ENABLED) == Some(false) {
            let origin = layers.said.general.origin(general::ENABLED).unwrap_or(&Origin::BuiltIn);
            switch_off(stem, origin.clone(), laid);
        }
    }
    (merged, clashes)
}

fn switch_off(stem: &Stem, origin: Origin, laid: &mut Laid) {
    if let Some(key) = position(stem, "enabled") {
        laid.put(key, Value::Flag(false), origin);
    }
}

/// What all policies of this world go by.
pub(crate) fn in_force() -> Merged {
    let world = registry().0;
    let installed = world.installed().clone();
    merge(world, &installed).0
}

const DEFAULT: &str = "default";

/// A name, and whether it stands for all policies of its kind.
type Name = (&'static str, bool);

/// What all sources together say of one policy or template, and which one it extends.
struct Own(BTreeMap<(&'static str, Name), (Laid, Option<&'static str>)>);

impl Own {
    fn new(sections: &[Section]) -> Self {
        let mut own = BTreeMap::new();
        for section in sections {
            let name = (section.name, section.default);
            let (laid, extends) = own.entry((section.stem.name, name)).or_insert_with(|| (Laid::new(), None));
            laid.over(section.stem, &section.laid);
            *extends = section.extends.or(*extends);
        }
        Self(own)
    }

    /// Whether some source says something of a policy.
    fn names(&self, stem: &Stem, name: &'static str) -> bool {
        self.0.contains_key(&(stem.name, (name, false)))
    }

    /// Lays a section over `laid`, after those that it extends.
    fn lay(&self, stem: &Stem, name: Name, laid: &mut Laid) {
        let mut chain = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next = Some(name);
        // Circles are faults, but nothing may hang on it.
        while let Some(name) = next.filter(|name| seen.insert(*name)) {
            let Some((_, extends)) = self.0.get(&(stem.name, name)) else { break };
            chain.push(name);
            next = extends.map(|parent| (parent, is_default(stem, parent)));
        }
        for name in chain.iter().rev() {
            if let Some((section, _)) = self.0.get(&(stem.name, *name)) {
                laid.over(stem, section);
            }
        }
    }
}
