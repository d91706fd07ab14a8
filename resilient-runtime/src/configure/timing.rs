//! What can never fit in one function, whoever said so.

use std::time::Duration;

use resilient_settings::stem::{hedge, retry};
use resilient_settings::words::dotted;

use super::laid::{Laid, position};
use super::{ConfigFault, Merged, Origin, kind};
use crate::function::Function;
use crate::policy::Stem;

/// One policy of the function.
#[derive(Clone, Copy)]
struct Part<'a> {
    stem: &'static Stem,
    name: &'static str,
    laid: &'a Laid,
}

/// What is wrong with the times of one function: waits or single attempts that reach the time for all.
///
/// The attributes are checked when they are compiled; this is for what is installed over them.
pub(super) fn timing(function: &'static Function, merged: &Merged) -> Vec<ConfigFault> {
    let mut faults = Vec::new();
    let mut bound: Option<(Part<'_>, Duration)> = None;
    let mut repeats = false;
    for layer in function.layers() {
        let Some(stem) = kind(layer.stem()) else { continue };
        let name = layer.policy_name();
        let Some(laid) = merged.get(&(stem.name, name)) else { continue };
        let part = Part { stem, name, laid };
        if let Some(waits) = (stem.least_waits)(&laid.written) {
            let words = format!("its {} waits at least", stem.name);
            let outer = bound.filter(|(_, limit)| *limit <= waits);
            faults.extend(outer.map(|outer| too_long(function, outer, (part, waits), &words)));
            repeats = true;
        }
        if let Some(limit) = (stem.limit)(&laid.written) {
            let words = if repeats { "each attempt may take" } else { "the timeout inside lasts" };
            let outer = bound.filter(|(_, total)| *total <= limit);
            faults.extend(outer.map(|outer| too_long(function, outer, (part, limit), words)));
            if bound.is_none_or(|(_, tightest)| limit < tightest) {
                (bound, repeats) = (Some((part, limit)), false);
            }
        }
    }
    faults
}

/// What takes longer than a timeout above gives to all of it.
fn too_long(
    function: &'static Function,
    (outer, total): (Part<'_>, Duration),
    (inner, time): (Part<'_>, Duration),
    words: &str,
) -> ConfigFault {
    let path = function.path();
    if changed(&outer).is_none()
        && let Some(key) = changed(&inner)
    {
        let limit = dotted([outer.stem.name, outer.name, LIMIT]);
        let message = format!("{words} {time:?}, but `{limit}` ends all of `{path}` after {total:?}");
        return inner.fault(key, message);
    }
    outer.fault(LIMIT, format!("{total:?} for all of `{path}`, but {words} {time:?}"))
}

const LIMIT: &str = "limit";

/// The key that decides about the policy's time, if it is not the attribute that says so.
fn changed(part: &Part<'_>) -> Option<&'static str> {
    let keys = match part.stem.name {
        stem if stem == retry::TABLE.name => retry::WAITS,
        stem if stem == hedge::TABLE.name => &["after", "max"],
        _ => &[LIMIT],
    };
    let origin = |key: &str| position(part.stem, key).and_then(|key| part.laid.origin(key));
    keys.iter().copied().find(|key| origin(key).is_some_and(Origin::is_configured))
}

impl Part<'_> {
    fn fault(&self, key: &str, message: String) -> ConfigFault {
        let Self { stem, name, laid } = self;
        ConfigFault::new([stem.name, name, key], message, laid.blamed(stem, key, &[]))
    }
}
