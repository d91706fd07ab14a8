//! What is wrong with a configuration as a whole.

use resilient_settings::stem::{AtOdds, general};
use resilient_settings::{Complaint, Value, stack};

use super::laid::{Laid, position};
use super::sources::{Content, Section, is_default};
use super::timing::timing;
use super::{ConfigError, ConfigFault, Layers, Merged, Origin, kind, merge};
use crate::composed;
use crate::function::Layer;
use crate::policy::Stem;
use crate::record::{annotated, functions};
use crate::registry::World;

/// Names without a user, and variables at fault, that are told at once, as of one file no more mistakes are.
pub(super) const MOST: usize = 256;

/// A configuration without a fault.
pub(super) struct Checked {
    pub(super) layers: Layers,
    pub(super) merged: Merged,
    /// What is let pass, and said all the same.
    pub(super) warnings: Vec<ConfigFault>,
}

/// Reads the sources and gives everything that is wrong with them.
pub(super) fn check(world: &World, mut layers: Layers, contents: &[Content]) -> Result<Checked, ConfigError> {
    let mut faults = layers.read(world, contents);
    if layers.said.torn {
        return Err(in_order(faults));
    }
    let lenient = layers.said.general.written.word(general::ON_UNKNOWN_POLICY) == Some(general::WARN);
    let (let_pass, unused): (Vec<_>, Vec<_>) = layers
        .unused(world)
        .into_iter()
        .partition(|fault| lenient && matches!(fault.origin, Origin::File(_)));
    faults.extend(unused.into_iter().take(MOST));
    faults.extend(layers.unknown_budgets(world));
    faults.extend(out_of_range(&layers));
    faults.extend(layers.said.sections.iter().flat_map(two_modes));
    let (merged, clashes) = merge(world, &layers);
    faults.extend(clashes.iter().map(super::Clash::fault));
    for (&name, laid) in &merged {
        at_odds(&layers.said.sections, name, laid, &mut faults);
    }
    faults.extend(composed::needs().filter_map(|needed| unmet(needed, &merged)));
    faults.extend(layers.said.events.faults());
    #[cfg(feature = "latency")]
    faults.extend(layers.watch.faults());
    #[cfg(feature = "health")]
    faults.extend(crate::health::faults(world, &merged, &layers));
    #[cfg(not(feature = "health"))]
    faults.extend(merged.iter().flat_map(|(&(stem, name), laid)| for_nobody(stem, name, laid)));
    faults.extend(functions().iter().flat_map(|function| timing(function, &merged)));
    if layers.said.flag(general::REQUIRE) == Some(true) {
        faults.extend(missing(&layers));
    }
    if !faults.is_empty() {
        return Err(in_order(faults));
    }
    let warnings = let_pass.into_iter().take(MOST).chain(layers.misread()).collect();
    Ok(Checked { layers, merged, warnings })
}

/// What is wrong with a file reads in its order, and after the rest; who keeps it keeps no more of the file.
fn in_order(mut faults: Vec<ConfigFault>) -> ConfigError {
    faults.sort_by_key(|fault| match &fault.origin {
        Origin::File(place) => Some((place.file().to_owned(), place.0.start())),
        _ => None,
    });
    for fault in &mut faults {
        if let Origin::File(place) = &mut fault.origin {
            place.cut();
        }
    }
    ConfigError { faults }
}

/// Values out of range. Those of texts were refused when they were read.
fn out_of_range(layers: &Layers) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let sections = layers.said.sections.iter().map(|it| (it.stem.table, Some(it.name), &it.laid));
    for (table, name, laid) in sections.chain([(&general::TABLE, None, &layers.said.general)]) {
        for (index, key) in table.keys.iter().enumerate() {
            let complaint = laid.written.get(index).and_then(|value| key.kind.complain(value));
            if let (Some(message), Some(origin)) = (complaint, laid.origin(index)) {
                let path = [table.name].into_iter().chain(name).chain([key.name]);
                faults.push(ConfigFault::new(path, message, origin.clone()));
            }
        }
    }
    faults
}

/// Modes that one section chooses at once. That of a file was read against its text.
fn two_modes(section: &Section) -> Vec<ConfigFault> {
    let Section { stem, name, laid, .. } = section;
    let of = |key| position(stem, key).and_then(|slot| laid.origin(slot));
    let fault = |odds: AtOdds| {
        let rival = match of(odds.rival) {
            Some(Origin::File(_)) => return None,
            Some(Origin::Variable { name }) => name,
            _ => odds.rival,
        };
        let path = [stem.name, *name, odds.key];
        Some(ConfigFault::new(path, odds.message(rival), of(odds.key)?.clone()))
    };
    stem.at_odds(|key| laid.says(stem, key)).into_iter().filter_map(fault).collect()
}

/// Keys that do not go together, whoever wrote them, unless that may come of what is wrong with one of them.
fn at_odds(
    sections: &[Section],
    (stem, name): (&str, &'static str),
    laid: &Laid,
    faults: &mut Vec<ConfigFault>,
) {
    let Some(kind) = kind(stem) else { return };
    for Complaint { key, message, others } in (kind.check)(&laid.written) {
        let missing = !others.iter().any(|other| laid.says(kind, other));
        let follows = |known: &ConfigFault| match known.key {
            Some(wrong) => wrong == key || others.contains(&wrong),
            None => missing && known.is_below_name(),
        };
        let fault = ConfigFault::new([stem, name, key], message, laid.blamed(kind, key, &others));
        // A default or a template is wrong once, however many policies go by it.
        let told = |known: &ConfigFault| {
            matches!(fault.origin, Origin::File(_))
                && (&known.origin, known.key) == (&fault.origin, fault.key)
        };
        let of_policy = |known: &ConfigFault| {
            known.stem == stem && (known.name == name || inherits(sections, (kind, name), known.name))
        };
        if !faults.iter().any(|known| told(known) || (follows(known) && of_policy(known))) {
            faults.push(fault);
        }
    }
}

/// Whether what a section says may hold for the policy.
fn inherits(sections: &[Section], (stem, policy): (&Stem, &'static str), section: &str) -> bool {
    let parent = |name: &&'static str| {
        let mut of_name = sections.iter().rev().filter(|it| it.stem.name == stem.name && it.name == *name);
        of_name.find_map(|it| it.extends)
    };
    let mut chain = std::iter::successors(parent(&policy), parent).take(sections.len());
    is_default(stem, section) || chain.any(|parent| parent == section)
}

/// A policy of a stack that is switched on without what it cannot do without.
fn unmet(
    (stem, name, key): (&'static str, &'static str, &'static str),
    merged: &Merged,
) -> Option<ConfigFault> {
    let (kind, laid) = (kind(stem)?, merged.get(&(stem, name))?);
    let of = |key| position(kind, key).and_then(|slot| laid.written.get(slot));
    let off = of("enabled") == Some(Value::Flag(false));
    let message = format!("is missing: `#[resilient({name:?})]` leaves it to the configuration");
    let fault = || ConfigFault::new([stem, name, key], message, laid.blamed(kind, key, &[]));
    (!off && of(key).is_none()).then(fault)
}

/// Keys that nobody looks at.
#[cfg(not(feature = "health"))]
fn for_nobody(stem: &str, name: &str, laid: &Laid) -> Vec<ConfigFault> {
    let Some(kind) = kind(stem) else { return Vec::new() };
    let keys = kind.keys.iter().enumerate().filter(|(_, key)| ["health", "readiness"].contains(&key.name));
    let written = keys.filter(|(slot, _)| laid.written.get(*slot).is_some());
    let fault = |key: &'static str| {
        let message = "needs the feature `health` of `resilient-runtime`";
        ConfigFault::new([stem, name, key], message, laid.blamed(kind, key, &[]))
    };
    written.map(|(_, key)| fault(key.name)).collect()
}

/// Policies that functions name and nothing configures.
fn missing(layers: &Layers) -> Vec<ConfigFault> {
    let mut faults: Vec<ConfigFault> = Vec::new();
    for function in annotated() {
        for (layer, name) in function.layers().iter().filter_map(|layer| Some((layer, layer.name()?))) {
            let mut sections = layers.said.sections.iter();
            let configured =
                sections.any(|section| section.name == name && configures(section.stem.name, layer));
            let message = format!("`{}` uses it, and nothing configures it", function.path());
            let table = if layer.is_composed() { stack::TABLE } else { layer.stem() };
            let configured = configured || (layer.is_composed() && layers.said.has_stack(name));
            let fault = ConfigFault::new([table, name], message, Origin::attribute(function));
            if !configured && faults.iter().all(|known| known.path() != fault.path()) {
                faults.push(fault);
            }
        }
    }
    faults
}

/// Whether settings of this kind are settings of the layer: of a stack, what is left out is off.
fn configures(stem: &str, layer: &Layer) -> bool {
    stem == layer.stem() || (layer.is_composed() && stack::part(stem).is_some())
}
