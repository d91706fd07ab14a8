//! `extends`: who inherits from whom.

use std::collections::BTreeMap;

use super::read::MOST;
use super::{Fault, Section};
use crate::words::{dotted, listed, nearest};

type Parents<'a> = BTreeMap<(&'static str, &'static str), Option<&'a Section>>;
/// Which walk has seen a section.
type Walks = BTreeMap<(&'static str, &'static str), usize>;

/// What is wrong with the inheritance among these sections.
///
/// Of two that are of one policy, what the later one extends holds.
#[must_use]
pub fn chains<'a>(sections: impl IntoIterator<Item = &'a Section>) -> Vec<Fault> {
    let mut parents = Parents::new();
    for section in sections {
        let parent = parents.entry((section.table.name, section.name)).or_default();
        *parent = Some(section).filter(|section| section.extends.is_some()).or(*parent);
    }
    let extending = parents.values().copied().flatten();
    let mut walks = Walks::new();
    let faults =
        extending.enumerate().filter_map(|(walk, section)| fault(walk, section, &parents, &mut walks));
    // Each may look for the nearest of all names.
    let mut faults: Vec<Fault> = faults.take(MOST).collect();
    faults.sort_by(|one, other| one.keys.cmp(&other.keys));
    faults
}

fn fault<'a>(walk: usize, section: &'a Section, parents: &Parents<'a>, walks: &mut Walks) -> Option<Fault> {
    let fault = |section: &Section, message| {
        let (_, spot) = section.extends.as_ref()?;
        Some(Fault::new(&[section.table.name, section.name, "extends"], message, spot.clone()))
    };
    let (parent, _) = section.extends.as_ref()?;
    let stem = section.table.name;
    if !parents.contains_key(&(stem, *parent)) {
        return fault(section, missing(stem, section.name, parent, parents));
    }
    let round = round(walk, section, parents, walks)?;
    let names: Vec<_> = round.iter().map(|section| section.name).collect();
    fault(round.first()?, circle(&names))
}

/// The circle that a section's chain ends in, unless an earlier walk came through: each section is seen once.
fn round<'a>(
    walk: usize,
    section: &'a Section,
    parents: &Parents<'a>,
    walks: &mut Walks,
) -> Option<Vec<&'a Section>> {
    let mut chain = Vec::new();
    let mut next = section;
    loop {
        match walks.insert((next.table.name, next.name), walk) {
            None => {}
            Some(before) if before == walk => break,
            Some(_) => return None,
        }
        chain.push(next);
        let (parent, _) = next.extends.as_ref()?;
        next = (*parents.get(&(next.table.name, *parent))?)?;
    }
    let begin = chain.iter().position(|section| section.name == next.name)?;
    let mut round = chain.split_off(begin);
    // Told by whoever comes first in it, wherever the walk began.
    let first = (0..round.len()).min_by_key(|at| round[*at].name)?;
    round.rotate_left(first);
    Some(round)
}

fn missing(stem: &str, name: &str, parent: &str, parents: &Parents<'_>) -> String {
    let others =
        parents.keys().filter(|(kind, other)| *kind == stem && *other != name).map(|(_, name)| *name);
    let others: Vec<_> = others.collect();
    let end = match nearest(parent, others.iter().copied()) {
        Some(meant) => format!("; did you mean `{meant}`?"),
        None if others.is_empty() => String::new(),
        None => format!("; there are {}", listed(others)),
    };
    format!("there is no `[{}]`{end}", dotted([stem, parent]))
}

/// Steps of a circle that are spelt out.
const SPELT: usize = 8;

fn circle(chain: &[&str]) -> String {
    let steps = chain.windows(2).map(|pair| format!("`{}` extends `{}`", pair[0], pair[1]));
    match steps.take(SPELT).collect::<Vec<_>>().join(", ") {
        steps if steps.is_empty() => "it extends itself".to_owned(),
        steps if chain.len() > SPELT + 1 => {
            format!("{steps} and so on, until the last of {} extends `{}`", chain.len(), chain[0])
        }
        steps => format!("{steps}, which extends `{}`", chain[0]),
    }
}
