//! `#[resilient("name")]`: policies of which the attribute says only the name.

use std::collections::BTreeSet;

use resilient_settings::stack::STACK;

use crate::configure::kind;
use crate::function::{Function, Layer};
use crate::record::annotated;

/// Policies, by kind and name.
pub(crate) type Names = BTreeSet<(&'static str, &'static str)>;

/// Policies of which no attribute says more than the name.
pub(crate) fn unsaid() -> Names {
    let (composed, said): (Vec<&Layer>, Vec<&Layer>) =
        annotated().flat_map(Function::layers).partition(|layer| layer.is_composed());
    let said = names(said);
    names(composed).difference(&said).copied().collect()
}

/// Names of stacks.
pub(crate) fn stacks() -> impl Iterator<Item = &'static str> {
    annotated().flat_map(Function::layers).filter(|layer| layer.is_composed()).map(Layer::policy_name)
}

fn names(layers: Vec<&Layer>) -> Names {
    layers.into_iter().map(|layer| (layer.stem(), layer.policy_name())).collect()
}

/// The key without which a policy of a stack has nothing to go by, for each that has one.
pub(crate) fn needs() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let composed = annotated().flat_map(Function::layers).filter(|layer| layer.is_composed());
    names(composed.collect()).into_iter().filter_map(|(stem, name)| {
        let key = STACK.iter().find(|part| part.table.name == stem)?.needs?;
        Some((kind(stem)?.name, name, key))
    })
}
