//! Which names somebody uses.

use std::collections::{BTreeMap, BTreeSet};

use resilient_settings::stem::budget;
use resilient_settings::words::dotted;
use resilient_settings::{Kind, stack};

use super::sources::Section;
use super::{ConfigFault, Layers, Origin, kind};
use crate::composed;
use crate::function::{Function, Layer};
use crate::names::nearest;
use crate::policy::{STEMS, Stem};
use crate::record::annotated;
use crate::registry::World;

/// Names of policies, by their kind.
pub(super) type Names = BTreeMap<&'static str, BTreeSet<&'static str>>;

impl ConfigFault {
    pub(super) fn warn(&self) {
        let colon = if self.path().is_empty() { "" } else { ": " };
        tracing::warn!(target: "resilient", "{}{colon}{} ({})", self.path(), self.message, self.origin);
    }
}

impl Layers {
    /// Names that nobody uses, of sections that no other one extends and of stacks without parts.
    pub(super) fn unused(&self, world: &World) -> Vec<ConfigFault> {
        let sections = &self.said.sections;
        let extended: BTreeSet<_> =
            sections.iter().filter_map(|by| Some((by.stem.name, by.extends?))).collect();
        let used = self.used(world);
        let nobody = BTreeSet::new();
        let mut unused = Vec::new();
        for section in sections.iter().filter(|section| !section.default) {
            let path = [section.stem.name, section.name];
            if !self.knows(&used, section) && !extended.contains(&path.into()) {
                let names = used.get(section.stem.name).unwrap_or(&nobody);
                let message = unknown(section, names);
                unused.push(ConfigFault::new(path, message, section.origin.clone()));
            }
        }
        let composed: BTreeSet<_> = composed::stacks().collect();
        for (name, origin) in &self.said.stacks {
            if !composed.contains(name.as_str()) && !self.expected.contains(name.as_str()) {
                let message = match nearest(name, composed.iter().copied()) {
                    Some(known) => format!("no function has a stack of this name; did you mean `{known}`?"),
                    None => "no function has a stack of this name".to_owned(),
                };
                unused.push(ConfigFault::new([stack::TABLE, name.as_str()], message, origin.clone()));
            }
        }
        unused
    }

    /// Budgets that a file or a variable names and nobody else knows: a slip would have tokens of its own.
    pub(super) fn unknown_budgets(&self, world: &World) -> Vec<ConfigFault> {
        let Some(budget) = kind(budget::TABLE.name) else { return Vec::new() };
        let sections = &self.said.sections;
        let of_code = sections.iter().filter(|section| matches!(section.origin, Origin::Code { .. }));
        let mut known = used_names(world, budget, of_code);
        known.extend(sections.iter().filter(|it| it.stem.name == budget.name).map(|it| it.name));
        known.extend(self.expected.iter().copied().chain([budget::DEFAULT]));
        let fault = |section: &Section| {
            let slot = reference(section.stem, budget)?;
            let name = section.stem.keys[slot].kind.referred(Some(section.laid.written.get(slot)?))?;
            let path = [section.stem.name, section.name, budget.name];
            let origin = section.laid.origin(slot)?.clone();
            (!known.contains(name)).then(|| ConfigFault::new(path, no_budget(name, &known), origin))
        };
        sections.iter().filter_map(fault).collect()
    }

    /// Whether code made by hand is said to use the name.
    #[cfg(feature = "health")]
    pub(crate) fn expects(&self, name: &str) -> bool {
        self.expected.contains(name)
    }

    /// Names that somebody uses, of each kind that the sources speak of.
    pub(super) fn used(&self, world: &World) -> Names {
        let sections = &self.said.sections;
        let said: BTreeSet<_> = sections.iter().map(|section| section.stem.name).collect();
        let stems = STEMS.iter().filter(|stem| said.contains(stem.name));
        stems.map(|stem| (stem.name, used_names(world, stem, sections))).collect()
    }

    /// Whether a policy of this name is used or declared.
    pub(super) fn knows(&self, used: &Names, section: &Section) -> bool {
        let used = used.get(section.stem.name);
        self.expected.contains(section.name) || used.is_some_and(|names| names.contains(section.name))
    }
}

/// Names of functions' policies, and of policies that others name or share unless they name one.
pub(super) fn used_names<'a>(
    world: &World,
    stem: &Stem,
    sections: impl IntoIterator<Item = &'a Section>,
) -> BTreeSet<&'static str> {
    let layers = || annotated().flat_map(Function::layers);
    let own = layers().filter(|layer| layer.stem() == stem.name).map(Layer::policy_name);
    let written = layers().filter_map(|layer| {
        let slot = reference(kind(layer.stem())?, stem)?;
        let key = kind(layer.stem())?.keys[slot];
        let value = layer.written().iter().find(|(written, _)| *written == key.name);
        key.kind.referred(value.map(|(_, value)| *value))
    });
    let installed = sections.into_iter().filter_map(|section| {
        let slot = reference(section.stem, stem)?;
        section.stem.keys[slot].kind.referred(Some(section.laid.written.get(slot)?))
    });
    own.chain(written).chain(installed).chain(by_hand(world, stem)).collect()
}

/// Names of policies that code by hand has made known.
fn by_hand(world: &World, stem: &Stem) -> Vec<&'static str> {
    #[cfg(feature = "health")]
    if stem.name == crate::health::STEM.name {
        return crate::health::names(world);
    }
    let _ = (world, stem);
    Vec::new()
}

/// Where `from` names a policy of the kind `to`.
fn reference(from: &Stem, to: &Stem) -> Option<usize> {
    from.keys.iter().position(|key| key.name == to.name && matches!(key.kind, Kind::Name { .. }))
}

fn unknown(Section { stem, name, origin, .. }: &Section, used: &BTreeSet<&'static str>) -> String {
    let stem = stem.name;
    let template = if matches!(origin, Origin::File(_)) { ", and no section `extends` it" } else { "" };
    match nearest(name, used.iter().copied()) {
        Some(known) => format!("no function has a {stem} of this name; did you mean `{known}`?"),
        None if used.is_empty() => {
            format!("no function has a {stem}{template}; `expect` it if code by hand uses it")
        }
        None => {
            let known: Vec<_> = used.iter().copied().collect();
            format!("no function has a {stem} of this name{template}; there are `{}`", known.join("`, `"))
        }
    }
}

fn no_budget(name: &str, known: &BTreeSet<&'static str>) -> String {
    let end = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => format!("a new one has a section: `[{}]`", dotted([budget::TABLE.name, name])),
    };
    format!("no budget is called `{name}`; {end}")
}
