//! `extends`: who inherits from whom.

use std::collections::BTreeMap;

use super::{Fault, Section};
use crate::words::{dotted, listed, nearest};

type Parents<'a> = BTreeMap<(&'static str, &'static str), Option<&'a Section>>;

/// What is wrong with the inheritance among these sections; of two that are of one policy, what the later one
/// extends holds.
#[must_use]
pub fn chains<'a>(sections: impl IntoIterator<Item = &'a Section>) -> Vec<Fault> {
    let mut parents = Parents::new();
    for section in sections {
        let parent = parents.entry((section.table.name, section.name)).or_default();
        *parent = Some(section).filter(|section| section.extends.is_some()).or(*parent);
    }
    let extending = parents.values().copied().flatten();
    extending.filter_map(|section| fault(section, &parents)).collect()
}

fn fault(section: &Section, parents: &Parents<'_>) -> Option<Fault> {
    let (parent, spot) = section.extends.as_ref()?;
    let stem = section.table.name;
    let fault = |message| Some(Fault::new(&[stem, section.name, "extends"], message, spot.clone()));
    if !parents.contains_key(&(stem, *parent)) {
        return fault(missing(stem, section.name, parent, parents));
    }
    let mut chain = vec![section.name];
    let mut next = *parent;
    while let Some((parent, _)) = parents.get(&(stem, next))?.and_then(|section| section.extends.as_ref()) {
        if next == section.name {
            // Told once, by whoever comes first in it.
            let first = chain.iter().all(|other| *other >= section.name);
            return first.then(|| circle(&chain)).and_then(fault);
        }
        if chain.contains(&next) {
            return None;
        }
        chain.push(next);
        next = parent;
    }
    None
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

fn circle(chain: &[&str]) -> String {
    let steps = chain.windows(2).map(|pair| format!("`{}` extends `{}`", pair[0], pair[1]));
    match steps.collect::<Vec<_>>().join(", ") {
        steps if steps.is_empty() => "it extends itself".to_owned(),
        steps => format!("{steps}, which extends `{}`", chain[0]),
    }
}
